// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

var deletedAt = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))

// usersOf is a usersReconciler for a ClusterProviderConfig "a" with the finalizer, and its client.
func usersOf(t *testing.T, u *Users, deleted bool, faults interceptor.Funcs, objects ...client.Object) (*usersReconciler, client.Client) {
	t.Helper()
	s := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(s), extv1.AddToScheme(s), corev1.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "1", Finalizers: []string{"in-use.crossplane.io"}}}
	if deleted {
		pc.DeletionTimestamp = &deletedAt
	}
	b := fake.NewClientBuilder().WithScheme(s).WithStatusSubresource(pc).WithObjects(pc).WithObjects(objects...).WithInterceptorFuncs(faults)
	for field, value := range map[string]func(xpv2.ProviderConfigReference) string{
		"spec.providerConfigRef.kind": func(r xpv2.ProviderConfigReference) string { return r.Kind },
		"spec.providerConfigRef.name": func(r xpv2.ProviderConfigReference) string { return r.Name },
	} {
		b = b.WithIndex(&v1alpha1.KeaReservation{}, field, func(o client.Object) []string {
			return []string{value(*o.(*v1alpha1.KeaReservation).Spec.ProviderConfigReference)}
		})
	}
	b = b.WithIndex(&extv1.CustomResourceDefinition{}, metav1.ObjectNameField, func(o client.Object) []string { return []string{o.GetName()} })
	c := b.Build()
	return &usersReconciler{
		configs: newConfigs(c), finder: finder{reader: c}, users: u, kind: v1alpha1.ClusterProviderConfigKind,
		newConfig: func() config { return &v1alpha1.ClusterProviderConfig{} }, recorder: event.NewNopRecorder(),
	}, c
}

// watched has a number of users.
func watched(n int) *Users {
	u := NewUsers()
	for i := range n {
		u.set(types.NamespacedName{Name: strconv.Itoa(i)}, refOf("a"))
	}
	u.setKnown()
	return u
}

// answers is what the API server answers to a list of KeaReservations.
func answers(when func(client.ListOptions) bool, err error) interceptor.Funcs {
	return interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
		o := client.ListOptions{}
		o.ApplyOptions(opts)
		if _, ok := l.(*v1alpha1.KeaReservationList); ok && when(o) {
			return err
		}
		return c.List(ctx, l, opts...)
	}}
}

func always(client.ListOptions) bool { return true }

// TestRelease: a deleted configuration goes when the API server has no user of it, whatever is cached.
func TestRelease(t *testing.T) {
	t.Parallel()
	keaReservations := schema.GroupResource{Group: v1alpha1.Group, Resource: "keareservations"}
	crd := &extv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "keareservations.kea.crossplane.io"}}
	created := func(at time.Time) func(*v1alpha1.KeaReservation) {
		return func(r *v1alpha1.KeaReservation) { r.CreationTimestamp = metav1.NewTime(at) }
	}
	later := created(deletedAt.Add(time.Second))
	const list = "kubectl get keareservations --all-namespaces --field-selector=spec.providerConfigRef.kind=ClusterProviderConfig,spec.providerConfigRef.name=a lists them"
	cases := map[string]struct {
		reason string
		users  *Users
		faults interceptor.Funcs
		there  []client.Object
		// stays is the message; "" means that it goes.
		stays string
		after time.Duration
		err   string
	}{
		"Unused":    {reason: "One without users goes.", users: watched(0)},
		"Used":      {reason: "One with a user stays.", users: watched(1), there: []client.Object{reservation()}, stays: "1 KeaReservation uses it: delete them first, " + list, after: time.Minute},
		"UsedLots":  {reason: "The number is in the message.", users: watched(3), there: []client.Object{reservation()}, stays: "3 KeaReservations use it: delete them first, " + list, after: time.Minute},
		"CacheLags": {reason: "A user that the cache does not have yet counts.", users: watched(0), there: []client.Object{reservation()}, stays: "KeaReservations use it: delete them first, " + list, after: time.Minute},
		"CacheLost": {reason: "One that is gone does not, although the cache has it still.", users: watched(1)},
		"Unwatched": {reason: "Users count before they can be watched.", users: NewUsers(), there: []client.Object{reservation()}, stays: "KeaReservations use it: delete them first, " + list, after: 10 * time.Second},
		"Starting":  {reason: "Without users it goes also then.", users: NewUsers()},
		"Deleting": {
			reason: "A user that is being deleted is one.", users: watched(1), stays: "1 KeaReservation uses it: delete them first, " + list, after: time.Minute,
			there: []client.Object{reservation(func(r *v1alpha1.KeaReservation) { r.DeletionTimestamp = &deletedAt })},
		},
		"OtherConfig": {reason: "A user of another one does not count.", users: watched(0), there: []client.Object{reservation(named("b"))}},
		"OtherKind": {
			reason: "Nor does one of a ProviderConfig of the name.", users: watched(0),
			there: []client.Object{reservation(func(r *v1alpha1.KeaReservation) { r.Spec.ProviderConfigReference.Kind = v1alpha1.ProviderConfigKind })},
		},
		"NotAllowed":  {reason: "One that may not use it does not keep it.", users: watched(0), there: []client.Object{reservation(notAllowed)}},
		"NoFinalizer": {reason: "Nor does one that is not removed from Kea.", users: watched(0), there: []client.Object{reservation(withoutFinalizer)}},
		"Refused":     {reason: "One that came after the deletion was refused.", users: watched(1), there: []client.Object{reservation(later)}},
		"CameBefore": {
			reason: "One of the same second may have come before.", users: watched(1), stays: "1 KeaReservation uses it: delete them first, " + list, after: time.Minute,
			there: []client.Object{reservation(created(deletedAt.Time))},
		},
		"NotRefused": {
			reason: "One that came later, and may have something in Kea, is a user.", users: watched(1), stays: "1 KeaReservation uses it: delete them first, " + list, after: time.Minute,
			there: []client.Object{reservation(later, pending)},
		},
		"Forbidden": {
			reason: "Without the permission it stays.", users: NewUsers(), faults: answers(always, kerrors.NewForbidden(keaReservations, "", nil)), after: 10 * time.Second,
			stays: "cannot list KeaReservations or get namespaces, to find out whether it is used: apply the ClusterRole provider-kea of cluster/rbac, and bind it to the provider's ServiceAccount",
		},
		"NoCRD":     {reason: "Without the kind there are no users.", users: NewUsers(), faults: answers(always, kerrors.NewNotFound(keaReservations, ""))},
		"NotServed": {reason: "A kind that is not served now says nothing.", users: NewUsers(), faults: answers(always, kerrors.NewNotFound(keaReservations, "")), there: []client.Object{crd}, err: "cannot list KeaReservations"},
		"NoAnswer":  {reason: "No answer says nothing.", users: watched(0), faults: answers(always, errors.New("no answer")), err: "no answer"},
		"OldCRD":    {reason: "What cannot be selected is looked through.", users: watched(0), faults: answers(selects, kerrors.NewBadRequest("field label not supported")), there: []client.Object{reservation(named("b"))}},
		"OldCRDAndUsed": {
			reason: "A user is found there, too.", users: watched(1), faults: answers(selects, kerrors.NewBadRequest("field label not supported")),
			there: []client.Object{reservation()}, stays: "1 KeaReservation uses it: delete them first, " + list, after: time.Minute,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, c := usersOf(t, tc.users, true, tc.faults, tc.there...)
			res, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Name: "a"}})
			if !hasText(err, tc.err) || res.RequeueAfter != tc.after {
				t.Fatalf("%s\nReconcile(...): %s, %v", tc.reason, res.RequeueAfter, err)
			}
			pc := &v1alpha1.ClusterProviderConfig{}
			err = c.Get(t.Context(), types.NamespacedName{Name: "a"}, pc)
			if gone := kerrors.IsNotFound(err); gone != (tc.stays == "" && tc.err == "") {
				t.Fatalf("%s\nit is gone: %t", tc.reason, gone)
			}
			if got := pc.GetCondition("Terminating"); got.Message != tc.stays || tc.stays != "" && got.Reason != "InUse" {
				t.Errorf("%s\nTerminating is %s %s %q", tc.reason, got.Status, got.Reason, got.Message)
			}
		})
	}
}

// selects reports whether a list selects by fields.
func selects(o client.ListOptions) bool { return o.FieldSelector != nil && !o.FieldSelector.Empty() }

// TestReleaseBarred: a namespace that may use nothing of a configuration cannot keep it with what
// looks like a user. What its status says that Kea has is not the namespace's to say.
func TestReleaseBarred(t *testing.T) {
	t.Parallel()
	paused := func(r *v1alpha1.KeaReservation) {
		meta.AddAnnotations(r, map[string]string{meta.AnnotationKeyReconciliationPaused: "true"})
	}
	web := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{"team": "web"}}}
	db := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{"team": "db"}}}
	cases := map[string]struct {
		reason string
		ns     *corev1.Namespace
		mg     *v1alpha1.KeaReservation
		gone   bool
	}{
		"Forged":  {reason: "It cannot be used there.", ns: db, mg: reservation(paused, pending), gone: true},
		"Revoked": {reason: "It was used there.", ns: db, mg: reservation(paused, withAddress)},
		"Allowed": {reason: "It can be used there.", ns: web, mg: reservation(paused)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, c := usersOf(t, watched(1), false, interceptor.Funcs{}, tc.ns.DeepCopy(), tc.mg)
			pc := &v1alpha1.ClusterProviderConfig{}
			if err := c.Get(t.Context(), types.NamespacedName{Name: "a"}, pc); err != nil {
				t.Fatal(err)
			}
			pc.Spec.Access = []v1alpha1.Access{{Namespaces: &v1alpha1.NamespaceSelector{MatchLabels: web.Labels}}}
			if err := errors.Join(c.Update(t.Context(), pc), c.Delete(t.Context(), pc)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Name: "a"}}); err != nil {
				t.Fatal(err)
			}
			if err := c.Get(t.Context(), types.NamespacedName{Name: "a"}, pc); kerrors.IsNotFound(err) != tc.gone {
				t.Errorf("%s\nit is gone: %t", tc.reason, !tc.gone)
			}
		})
	}
}

// TestReleaseWaits: a configuration stays while a reconcile may be making a user of it.
func TestReleaseWaits(t *testing.T) {
	t.Parallel()
	u := watched(0)
	end, err := u.Begin(refOf("a"), &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	r, c := usersOf(t, u, true, interceptor.Funcs{})
	req := ctrl.Request{NamespacedName: types.NamespacedName{Name: "a"}}
	if res, err := r.Reconcile(t.Context(), req); err != nil || res.RequeueAfter != time.Second {
		t.Errorf("Reconcile(...): %s, %v", res.RequeueAfter, err)
	}
	if err := c.Create(t.Context(), reservation()); err != nil {
		t.Fatal(err)
	}
	end()
	if res, err := r.Reconcile(t.Context(), req); err != nil || res.RequeueAfter != time.Minute {
		t.Errorf("Reconcile(...) with a new user: %s, %v", res.RequeueAfter, err)
	}
}

// TestReleaseAsksSeldom: while users are known, the API server is not asked for them at each change.
func TestReleaseAsksSeldom(t *testing.T) {
	t.Parallel()
	lists := 0
	count := func(client.ListOptions) bool {
		lists++
		return false
	}
	u := watched(2)
	r, _ := usersOf(t, u, true, answers(count, nil), reservation())
	check := func(reason string, want int) {
		t.Helper()
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Name: "a"}}); err != nil || lists != want {
			t.Errorf("%s\nthe API server was asked %d times, want %d: %v", reason, lists, want, err)
		}
	}
	check("At first it is asked.", 1)
	u.set(types.NamespacedName{Name: "0"}, connection.Ref{})
	check("Not if a user goes, and there are others.", 1)
	u.looked[refOf("a")] = time.Now().Add(-recheckInterval)
	check("A minute later it is.", 2)
	u.set(types.NamespacedName{Name: "1"}, connection.Ref{})
	check("If the last one goes, at once.", 3)
}

// TestCount: the number of users is written if it is known and has changed, and only then.
func TestCount(t *testing.T) {
	t.Parallel()
	writes := 0
	faults := interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
		writes++
		return c.SubResource(sub).Patch(ctx, o, p, opts...)
	}}
	u := NewUsers()
	r, c := usersOf(t, u, false, faults)
	check := func(reason string, users int64, wantWrites int, after time.Duration) {
		t.Helper()
		res, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Name: "a"}})
		pc := &v1alpha1.ClusterProviderConfig{}
		if err := errors.Join(err, c.Get(t.Context(), types.NamespacedName{Name: "a"}, pc)); err != nil {
			t.Fatal(err)
		}
		if pc.Status.Users != users || writes != wantWrites || res.RequeueAfter != after || len(pc.Finalizers) != 1 {
			t.Errorf("%s\nit has %d users after %d writes, again after %s: want %d, %d, %s", reason, pc.Status.Users, writes, res.RequeueAfter, users, wantWrites, after)
		}
	}
	u.set(types.NamespacedName{Name: "1"}, refOf("a"))
	check("What is not known is not reported.", 0, 0, recountInterval)
	u.setKnown()
	check("What is known is.", 1, 1, 0)
	check("It is not written again.", 1, 1, 0)
	pc := &v1alpha1.ClusterProviderConfig{}
	if err := c.Get(t.Context(), types.NamespacedName{Name: "a"}, pc); err != nil {
		t.Fatal(err)
	}
	pc.Finalizers = nil
	if err := c.Update(t.Context(), pc); err != nil {
		t.Fatal(err)
	}
	check("A finalizer that was taken away is put back while there are users.", 1, 1, 0)
	u.set(types.NamespacedName{Name: "1"}, connection.Ref{})
	check("The last user goes.", 0, 2, 0)
}
