// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// TestStatusGoesBack: a status that is again as it was before the last write is written, although the
// cache still has it so.
func TestStatusGoesBack(t *testing.T) {
	for name, answer := range map[string]error{"Written": nil, "WrittenWithoutAnswer": errors.New("timeout")} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { statusGoesBack(t, answer) }) })
	}
}

func statusGoesBack(t *testing.T, answer error) {
	t.Helper()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	old := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	key := client.ObjectKeyFromObject(old)
	behindUntil := time.Time{}
	server := fake.NewClientBuilder().WithScheme(s).WithObjects(old).WithStatusSubresource(old).Build()
	if err := server.Get(t.Context(), key, old); err != nil {
		t.Fatal(err)
	}
	c := newConfigs(interceptor.NewClient(server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if time.Now().Before(behindUntil) {
				old.DeepCopyInto(o.(*v1alpha1.ClusterProviderConfig))
				return nil
			}
			return c.Get(ctx, key, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			before := o.DeepCopyObject().(*v1alpha1.ClusterProviderConfig)
			err := c.SubResource(sub).Patch(ctx, o, p, opts...)
			if err == nil && answer != nil {
				before.DeepCopyInto(o.(*v1alpha1.ClusterProviderConfig))
				return answer
			}
			return err
		},
	}))
	report := func(users int64) error {
		pc := &v1alpha1.ClusterProviderConfig{}
		if err := c.read(t.Context(), key, pc); err != nil {
			return err
		}
		before := pc.DeepCopy()
		pc.SetUsers(users)
		return c.patchStatus(t.Context(), pc, before)
	}

	if err := report(1); !errors.Is(err, answer) {
		t.Fatal(err)
	}
	behindUntil = time.Now().Add(20 * time.Millisecond)
	err := report(0)
	if answer != nil {
		// Which version that write made is not known, so only the API server can tell.
		if !kerrors.IsConflict(err) {
			t.Errorf("patchStatus(...) of what may have been replaced: %v, want a conflict", err)
		}
		answer, behindUntil = nil, time.Time{}
		err = report(0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Get(t.Context(), key, old); err != nil || old.GetUsers() != 0 {
		t.Errorf("the status has %d users, want 0: %v", old.GetUsers(), err)
	}

	behindUntil = time.Now().Add(time.Hour)
	if err := report(2); err != nil {
		t.Fatal(err)
	}
	if err := report(0); !kerrors.IsConflict(err) {
		t.Errorf("read(...) of a cache that stays behind: %v", err)
	}
	behindUntil = time.Time{}
	finalizerComesAndGoes(t, c, func(o *v1alpha1.ClusterProviderConfig) {
		o.DeepCopyInto(old)
		behindUntil = time.Now().Add(20 * time.Millisecond)
	})
	if err := server.Delete(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	behindUntil = time.Now().Add(20 * time.Millisecond)
	if err := report(0); !kerrors.IsNotFound(err) {
		t.Errorf("read(...) of one that is gone in a moment: %v", err)
	}
}

// finalizerComesAndGoes adds the finalizer and removes it, with a cache that lags with an object.
func finalizerComesAndGoes(t *testing.T, c configs, lag func(*v1alpha1.ClusterProviderConfig)) {
	t.Helper()
	key := types.NamespacedName{Name: "a"}
	for _, step := range []struct {
		name string
		do   func(context.Context, config) error
		want []string
	}{{"protect", c.protect, []string{inUseFinalizer}}, {"release", c.release, nil}} {
		pc := &v1alpha1.ClusterProviderConfig{}
		if err := c.read(t.Context(), key, pc); err != nil {
			t.Fatal(err)
		}
		lag(pc.DeepCopy())
		if err := step.do(t.Context(), pc); err != nil {
			t.Fatal(err)
		}
		got := &v1alpha1.ClusterProviderConfig{}
		if err := c.read(t.Context(), key, got); err != nil || !slices.Equal(got.Finalizers, step.want) {
			t.Errorf("read(...) after %s(...): finalizers %v, want %v: %v", step.name, got.Finalizers, step.want, err)
		}
	}
}
