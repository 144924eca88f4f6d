// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// specOf is a configuration of one server that needs credentials.
func specOf(namespace string) *v1alpha1.ProviderConfigSpec {
	return &v1alpha1.ProviderConfigSpec{
		Servers:     []v1alpha1.Server{{Name: "kea1", URL: "http://kea1.invalid:8000"}},
		Credentials: *basic(namespace, "login"),
	}
}

// basic are credentials from a Secret.
func basic(namespace, name string) *v1alpha1.Credentials {
	return &v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Namespace: namespace, Name: name}}
}

var ref = connection.Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: "a"}

// hasText reports whether an error has a text; "" stands for no error.
func hasText(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

// TestForbiddenSecret: a Secret that the provider may not read is reported, and
// tried again: no event says when the permission comes.
func TestForbiddenSecret(t *testing.T) {
	t.Parallel()
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: v1alpha1.ClusterProviderConfigSpec{ProviderConfigSpec: *specOf("ns")}}
	r := newReconciler(t, pc, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if _, ok := o.(*corev1.Secret); ok {
				return kerrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, key.Name, nil)
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	res, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pc)})
	if err != nil || res.RequeueAfter != permissionDelay {
		t.Errorf("it is tried again after %s: %v", res.RequeueAfter, err)
	}
	if err := r.configs.Get(t.Context(), client.ObjectKeyFromObject(pc), pc); err != nil {
		t.Fatal(err)
	}
	got := pc.GetCondition(xpv2.TypeReady)
	if got.Status != corev1.ConditionFalse || got.Reason != v1alpha1.ReasonSecretUnusable || !strings.Contains(got.Message, "cannot get Secret ns/login: ") {
		t.Errorf("Ready is %s %s %q", got.Status, got.Reason, got.Message)
	}
	if healthy := pc.GetCondition(v1alpha1.TypeHealthy); healthy.Status != corev1.ConditionFalse || healthy.Reason != got.Reason || healthy.Message != got.Message {
		t.Errorf("Healthy is %s %s %q", healthy.Status, healthy.Reason, healthy.Message)
	}
	if pc.Status.Serving != "0/1" {
		t.Errorf("%s servers serve", pc.Status.Serving)
	}
	if _, err := r.groups.Group(t.Context(), ref); !hasText(err, got.Message) {
		t.Errorf("users get %v", err)
	}
}

// TestSecretOfOneServer: if a server's own Secret is missing or may not be read, the
// others are used, and the API server is asked again where no event would say so.
func TestSecretOfOneServer(t *testing.T) {
	t.Parallel()
	for _, forbidden := range []bool{false, true} {
		pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: v1alpha1.ClusterProviderConfigSpec{ProviderConfigSpec: v1alpha1.ProviderConfigSpec{Servers: []v1alpha1.Server{
			{Name: "kea1", URL: "http://127.0.0.1:1"}, {Name: "kea2", URL: "http://127.0.0.1:1", Credentials: basic("ns", "login")},
		}}}}
		r := newReconciler(t, pc, interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
				if _, ok := o.(*corev1.Secret); ok && forbidden {
					return kerrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, key.Name, nil)
				}
				return c.Get(ctx, key, o, opts...)
			},
		})
		res, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pc)})
		if want := map[bool]time.Duration{true: permissionDelay}[forbidden]; err != nil || res.RequeueAfter != want {
			t.Errorf("forbidden %t: it is tried again after %s, want %s: %v", forbidden, res.RequeueAfter, want, err)
		}
		if _, ok := r.groups.Running(ref); !ok {
			t.Errorf("forbidden %t: no group runs", forbidden)
		}
	}
}

// TestGoneMeanwhile: it is no error if the cache still has a configuration and the
// API server does not: a namespace is deleted with all that is in it.
func TestGoneMeanwhile(t *testing.T) {
	t.Parallel()
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: v1alpha1.ClusterProviderConfigSpec{ProviderConfigSpec: *specOf("ns")}}
	r := newReconciler(t, pc, interceptor.Funcs{
		SubResourcePatch: func(_ context.Context, _ client.Client, _ string, o client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
			return kerrors.NewNotFound(schema.GroupResource{Resource: "clusterproviderconfigs"}, o.GetName())
		},
	})
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pc)}); err != nil {
		t.Errorf("it is an error: %v", err)
	}
}

// TestSecretWentFirst: if the Secret was deleted with its namespace and no group
// runs, the message says the only way out.
func TestSecretWentFirst(t *testing.T) {
	t.Parallel()
	pc := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}, Spec: *specOf("")}
	now := metav1.Now()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", DeletionTimestamp: &now, Finalizers: []string{"kubernetes"}}}
	r := newReconciler(t, pc, interceptor.Funcs{}, ns)
	r.kind, r.newConfig = v1alpha1.ProviderConfigKind, func() config { return &v1alpha1.ProviderConfig{} }
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pc)}); err != nil {
		t.Fatal(err)
	}
	if err := r.configs.Get(t.Context(), client.ObjectKeyFromObject(pc), pc); err != nil {
		t.Fatal(err)
	}
	if got := pc.GetCondition(xpv2.TypeReady).Message; got != errSecretWentFirst.Error() {
		t.Errorf("Ready says %q", got)
	}
}

// newReconciler serves one configuration, whose Secret is not there.
func newReconciler(t *testing.T, pc client.Object, faults interceptor.Funcs, more ...client.Object) *reconciler {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(s).WithObjects(pc).WithObjects(more...).WithStatusSubresource(pc).WithInterceptorFuncs(faults).Build()
	return &reconciler{
		configs: newConfigs(c), reader: c, groups: connection.NewGroups(), kind: v1alpha1.ClusterProviderConfigKind,
		newConfig: func() config { return &v1alpha1.ClusterProviderConfig{} }, running: t.Context(), cluster: &cluster{uid: "here"},
	}
}
