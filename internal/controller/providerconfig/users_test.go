// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"testing"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// reservation is a KeaReservation that waits for a lease, unless it is changed.
func reservation(changes ...func(*v1alpha1.KeaReservation)) *v1alpha1.KeaReservation {
	r := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "vm01", Finalizers: []string{"finalizer.managedresource.crossplane.io"}}}
	r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "a"}
	for _, change := range changes {
		change(r)
	}
	return r
}

func withoutFinalizer(r *v1alpha1.KeaReservation) { r.Finalizers = []string{"foregroundDeletion"} }
func withAddress(r *v1alpha1.KeaReservation)      { r.Status.AtProvider.IPAddress = "10.123.0.50" }
func marked(r *v1alpha1.KeaReservation)           { r.Status.AtProvider.HWAddress = "00:02:12:34:56:78" }
func pending(r *v1alpha1.KeaReservation)          { meta.SetExternalCreatePending(r, time.Now()) }
func notAllowed(r *v1alpha1.KeaReservation) {
	r.SetConditions(xpv2.Condition{Type: xpv2.TypeReady, Status: "False", Reason: v1alpha1.ReasonNotAllowed})
}

func named(config string) func(*v1alpha1.KeaReservation) {
	return func(r *v1alpha1.KeaReservation) { r.Spec.ProviderConfigReference.Name = config }
}

func refOf(name string) connection.Ref {
	return connection.Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: name}
}

func TestIsNew(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason        string
		mg            *v1alpha1.KeaReservation
		counts, isNew bool
	}{
		"Waits":          {reason: "One with the finalizer counts, and has nothing in Kea yet.", mg: reservation(), counts: true, isNew: true},
		"Reserved":       {reason: "One with an address has something there.", mg: reservation(withAddress), counts: true},
		"Marked":         {reason: "So has one without an address.", mg: reservation(marked), counts: true},
		"RevokedMarked":  {reason: "It keeps the configuration, too.", mg: reservation(notAllowed, marked), counts: true},
		"Creating":       {reason: "One that was about to be created may have.", mg: reservation(pending), counts: true},
		"NoFinalizer":    {reason: "One without the finalizer is not removed from Kea.", mg: reservation(withoutFinalizer), isNew: true},
		"FinalizerTaken": {reason: "So is one that lost it.", mg: reservation(withAddress, withoutFinalizer), isNew: true},
		"NotAllowed":     {reason: "One that may not use the configuration does not keep it.", mg: reservation(notAllowed), isNew: true},
		"Revoked":        {reason: "It does while it has something in Kea.", mg: reservation(notAllowed, withAddress), counts: true},
		"Forged":         {reason: "An annotation says nothing: its owner can set it.", mg: reservation(notAllowed, pending), isNew: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := IsUser(tc.mg); got != tc.counts {
				t.Errorf("%s\nIsUser(...): %t", tc.reason, got)
			}
			if got := IsNew(tc.mg); got != tc.isNew {
				t.Errorf("%s\nIsNew(...): %t", tc.reason, got)
			}
		})
	}
}

// TestUsers: users are counted by what happens to KeaReservations, and a change is announced once.
func TestUsers(t *testing.T) {
	t.Parallel()
	u := NewUsers()
	announced := map[string]int{}
	u.listen(func(ref connection.Ref) { announced[ref.Name]++ })
	h := u.handler()
	was := func(reason string, known bool, a, b, times int) {
		t.Helper()
		for name, want := range map[string]int{"a": a, "b": b} {
			if n, k := u.count(refOf(name)); n != int64(want) || k != known {
				t.Errorf("%s\n%s has %d users, known %t; want %d, %t", reason, name, n, k, want, known)
			}
		}
		if got := announced["a"] + announced["b"]; got != times {
			t.Errorf("%s\n%d changes were announced, want %d", reason, got, times)
		}
		clear(announced)
	}
	h.OnAdd(reservation(), true)
	h.OnAdd(&v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default"}}, true)
	was("Nothing is announced before all are known.", false, 1, 0, 0)
	u.setKnown()
	was("Then all are.", true, 1, 0, 1)
	h.OnUpdate(reservation(), reservation(withAddress))
	h.OnUpdate(reservation(withAddress), reservation(withAddress, notAllowed))
	was("What changes nothing about its use is no change.", true, 1, 0, 0)
	h.OnUpdate(nil, reservation(notAllowed))
	was("One that may not use it is no user.", true, 0, 0, 1)
	h.OnUpdate(nil, reservation())
	was("One that may again is.", true, 1, 0, 1)
	h.OnUpdate(nil, reservation(named("b")))
	was("A reference that changes is two changes.", true, 0, 1, 2)
	h.OnUpdate(nil, reservation(named("b"), withoutFinalizer))
	was("Without the finalizer it is no user.", true, 0, 0, 1)
	h.OnUpdate(nil, reservation(named("b")))
	h.OnDelete(reservation(named("b"), withoutFinalizer))
	was("One that is gone is none, however it was last seen.", true, 0, 0, 2)
	h.OnAdd(reservation(), false)
	h.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "ns/vm01", Obj: reservation(withoutFinalizer)})
	was("Nor is one that went unseen.", true, 0, 0, 2)
	if len(u.configs) > 0 || len(u.counts) > 0 {
		t.Errorf("something is left: %v, %v", u.configs, u.counts)
	}
}

// TestWatchAgain: what was counted by a watch that did not come about, and went unseen after that, is
// not counted for ever.
func TestWatchAgain(t *testing.T) {
	t.Parallel()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	u := NewUsers()
	u.handler().OnAdd(reservation(), true)
	synced := true
	if err := u.Watch(t.Context(), &informertest.FakeInformers{Scheme: s, Synced: &synced}); err != nil {
		t.Fatal(err)
	}
	if n, known := u.count(refOf("a")); n != 0 || !known {
		t.Errorf("count(...): %d, known %t", n, known)
	}
}

// TestBegin: a configuration that is being deleted gets no new users, also if a cache does not know
// yet that it is.
func TestBegin(t *testing.T) {
	t.Parallel()
	const message = `cannot begin to use ClusterProviderConfig "a", which is being deleted: create it again once it is gone, or name another in spec.providerConfigRef`
	u := NewUsers()
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "1"}}
	end, err := u.Begin(refOf("a"), pc)
	if err != nil {
		t.Fatal(err)
	}
	if u.close(refOf("b"), "2") || !u.close(refOf("a"), "1") {
		t.Error("close(...) does not see the reconcile that makes a user")
	}
	end()
	if u.close(refOf("a"), "1") {
		t.Error("close(...) sees a reconcile that has ended")
	}
	if _, err := u.Begin(refOf("a"), pc); !hasText(err, message) {
		t.Errorf("Begin(...): %v", err)
	}
	if _, err := u.Begin(refOf("c"), &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: new(metav1.Now())}}); !hasText(err, "which is being deleted") {
		t.Errorf("Begin(...) of one that is known to be deleted: %v", err)
	}
	pc.UID = "3"
	if _, err := u.Begin(refOf("a"), pc); err != nil {
		t.Errorf("Begin(...) of another one of the name: %v", err)
	}
	u.forget(refOf("a"))
	u.forget(refOf("b"))
	if len(u.closed) > 0 {
		t.Errorf("%d are not forgotten", len(u.closed))
	}
}
