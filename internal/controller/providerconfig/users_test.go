// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// TestCountedUsages: whoever may create a usage in a namespace cannot have it counted.
func TestCountedUsages(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason    string
		change    func(*v1alpha1.ProviderConfigUsage)
		mg        *v1alpha1.KeaReservation
		unwatched bool
		want      int
	}{
		"Real":         {reason: "The usage of a KeaReservation counts.", mg: reservation(), want: 1},
		"WithoutOwner": {reason: "A usage without one does not."},
		"OtherName": {
			reason: "One that is not named like the usage of the KeaReservation it names does not: there is another one.", mg: reservation(),
			change: func(u *v1alpha1.ProviderConfigUsage) { u.Name = "forged" },
		},
		"OtherNamespace": {
			reason: "One in another namespace than the KeaReservation does not.", mg: reservation(),
			change: func(u *v1alpha1.ProviderConfigUsage) { u.Namespace = "another" },
		},
		"OtherConfig": {
			reason: "One of a KeaReservation that uses another configuration does not.",
			mg: func() *v1alpha1.KeaReservation {
				r := reservation()
				r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ProviderConfigKind, Name: "default"}
				return r
			}(),
		},
		"Unwatched": {reason: "Before KeaReservations are known, each counts: it might be one that holds something in Kea.", unwatched: true, want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := usageOf(reservation())
			if tc.change != nil {
				tc.change(u)
			}
			objects := []client.Object{u}
			if tc.mg != nil {
				objects = append(objects, tc.mg)
			}
			c := clientOf(t, objects...)
			r := &usageReconciler{client: c}
			r.watching.Store(!tc.unwatched)
			l := &v1alpha1.ProviderConfigUsageList{}
			labels := client.MatchingLabels{xpv2.LabelKeyProviderKind: v1alpha1.ClusterProviderConfigKind, xpv2.LabelKeyProviderName: "default"}
			if err := (countingClient{Client: c, usages: r}).List(t.Context(), l, labels); err != nil {
				t.Fatal(err)
			}
			if got := len(l.Items); got != tc.want {
				t.Errorf("%s\n%d usages count, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestStripSecret: nothing of a Secret is cached but its name and version.
func TestStripSecret(t *testing.T) {
	t.Parallel()
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "login", UID: "1", ResourceVersion: "2",
		Annotations:     map[string]string{corev1.LastAppliedConfigAnnotation: `{"data":{"password":"aHVudGVyMg=="}}`},
		Labels:          map[string]string{"token": "hunter2"},
		OwnerReferences: []metav1.OwnerReference{{Name: "hunter2"}}, Finalizers: []string{"hunter2"}, GenerateName: "hunter2",
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "hunter2"}},
	}}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	got, err := StripSecret(secret)
	want := &metav1.PartialObjectMetadata{TypeMeta: secret.TypeMeta, ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "login", UID: "1", ResourceVersion: "2"}}
	if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if _, err := StripSecret(&corev1.Secret{}); err == nil {
		t.Error("a whole Secret is cached")
	}
}

// TestWarnOfPlainLogins: a password that is sent in clear is a warning of its server, beside others.
func TestWarnOfPlainLogins(t *testing.T) {
	t.Parallel()
	spec := &v1alpha1.ProviderConfigSpec{
		Servers:     []v1alpha1.Server{{Name: "a", URL: "http://a.example.com:8000"}, {Name: "b", URL: "https://b.example.com:8000"}},
		Credentials: v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Name: "login"}},
	}
	servers := []v1alpha1.ServerStatus{{Name: "a", Warnings: []string{"other"}}, {Name: "b"}}
	warnOfPlainLogins(spec, servers)
	want := []v1alpha1.ServerStatus{{Name: "a", Warnings: []string{"other", plainLogin}}, {Name: "b"}}
	if diff := cmp.Diff(want, servers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
