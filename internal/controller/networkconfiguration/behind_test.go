// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestReconcileBehind: no reconcile begins with an older version of a NetworkConfiguration than the
// controller wrote.
func TestReconcileBehind(t *testing.T) { synctest.Test(t, testReconcileBehind) }

func testReconcileBehind(t *testing.T) {
	t.Helper()
	vm := nc("vm", nil)
	scheme := newScheme(t)
	vitistack.AddNetworkNamespaces(scheme, vitistack.GroupVersion.Version)
	kube := fake.NewClientBuilder().WithScheme(scheme).WithObjects(vm).Build()
	// Another process handles it, so that a reconcile ends there.
	r := &reconciler{
		vitistack: kube, kube: kube, shard: shardOf(t, "shard=other"), written: cached.NewWrites(),
		waits: newWaits(), guard: newGuard(100), events: newOnceRecorder(nil), log: logging.NewNopLogger(),
	}
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(vm)}
	old, later := vm.DeepCopy(), vm.DeepCopy()
	later.ResourceVersion = "1000"

	r.written.Add(later, nil)
	got, err := r.Reconcile(t.Context(), request)
	if again := got.Requeue; err != nil || !again || !r.written.NewerThan(vm) { //nolint:staticcheck // As in Reconcile.
		t.Errorf("The cache gets the write later: others have their turn.\nReconcile(...): %+v, %v", got, err)
	}
	time.AfterFunc(20*time.Millisecond, func() {
		vm.Labels = map[string]string{"a": "b"}
		if err := kube.Update(t.Context(), vm); err != nil {
			t.Error(err)
		}
	})
	if got, err := r.Reconcile(t.Context(), request); err != nil || got != (reconcile.Result{}) || r.written.NewerThan(old) {
		t.Errorf("The cache gets the write in a moment, and another process goes on from there.\nReconcile(...): %+v, %v", got, err)
	}
	later.ResourceVersion = "2000"
	r.written.Add(later, nil)
	time.AfterFunc(20*time.Millisecond, func() {
		if err := kube.Delete(t.Context(), vm); err != nil {
			t.Error(err)
		}
	})
	if got, err := r.Reconcile(t.Context(), request); err != nil || got != (reconcile.Result{}) || r.written.NewerThan(old) {
		t.Errorf("It is gone in a moment.\nReconcile(...): %+v, %v", got, err)
	}
}

// TestWriteStatus: which status is written.
func TestWriteStatus(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		// phase is what is to be reported; PhaseReady is reported already.
		phase string
		// failed is the error of the last write.
		failed error
		// changed means that another client has written since it was read.
		changed  bool
		writes   int
		conflict bool
	}{
		"Same":      {reason: "What is reported is not written again.", phase: vitistack.PhaseReady},
		"Different": {reason: "What has changed is.", phase: vitistack.PhaseReconciling, writes: 1},
		"SameButFailed": {
			reason: "A write that failed may have been carried out.", phase: vitistack.PhaseReady, failed: errors.New("timeout"), writes: 1,
		},
		"FailedAndWas": {
			reason: "If it was, the cache gets it.", phase: vitistack.PhaseReady, failed: errors.New("timeout"), changed: true, writes: 1, conflict: true,
		},
		"Changed": {reason: "No other client's write is undone.", phase: vitistack.PhaseReconciling, changed: true, writes: 1, conflict: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vm := nc("vm", nil)
			vm.Status.Phase = vitistack.PhaseReady
			writes := 0
			kube := fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(vm).WithStatusSubresource(vm).WithInterceptorFuncs(interceptor.Funcs{
				SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
					writes++
					return c.SubResource(sub).Patch(ctx, o, p, opts...)
				},
			}).Build()
			r := &reconciler{kube: kube, written: cached.NewWrites()}
			read, now := &vitistack.NetworkConfiguration{}, vm.DeepCopy()
			if err := kube.Get(t.Context(), client.ObjectKeyFromObject(vm), read); err != nil {
				t.Fatal(err)
			}
			if tc.failed != nil {
				r.written.Add(read, tc.failed)
			}
			if tc.changed {
				now.ResourceVersion = read.ResourceVersion
				now.Labels = map[string]string{"a": "b"}
				if err := kube.Update(t.Context(), now); err != nil {
					t.Fatal(err)
				}
			}
			status := *read.Status.DeepCopy()
			status.Phase = tc.phase
			err := r.writeStatus(t.Context(), read, status)
			if kerrors.IsConflict(err) != tc.conflict || (err != nil) != tc.conflict || writes != tc.writes {
				t.Errorf("%s\nwriteStatus(...): %d writes, %v", tc.reason, writes, err)
			}
			if wrote := writes > 0 && err == nil; r.written.NewerThan(read) != wrote {
				t.Errorf("%s\nNewerThan(what was read): %t, want %t", tc.reason, !wrote, wrote)
			}
		})
	}
}
