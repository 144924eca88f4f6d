// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// What the smallest objects of the typed client have filled in.
func TestDefaults(t *testing.T) {
	name := metav1.ObjectMeta{GenerateName: "test-", Namespace: metav1.NamespaceDefault}
	servers := []v1alpha1.Server{{Name: "kea1", URL: "http://kea1:8000"}}
	wantConfig := v1alpha1.ProviderConfigSpec{
		Servers:          servers,
		Hosts:            v1alpha1.Hosts{Storage: v1alpha1.HostStorageAuto, Persist: v1alpha1.HostPersistenceNever},
		Credentials:      v1alpha1.Credentials{Source: xpv2.CredentialsSourceNone},
		Timeout:          metav1.Duration{Duration: 10 * time.Second},
		SnapshotInterval: metav1.Duration{Duration: 30 * time.Second},
	}

	t.Run("ClusterProviderConfig", func(t *testing.T) {
		pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}, Spec: v1alpha1.ClusterProviderConfigSpec{ProviderConfigSpec: v1alpha1.ProviderConfigSpec{Servers: servers}}}
		create(t, pc)
		if diff := cmp.Diff(wantConfig, pc.Spec.ProviderConfigSpec); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})

	t.Run("ProviderConfig", func(t *testing.T) {
		pc := &v1alpha1.ProviderConfig{ObjectMeta: name, Spec: v1alpha1.ProviderConfigSpec{
			Servers: servers, TLS: &v1alpha1.TLS{CASecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "ca"}}},
		}}
		create(t, pc)
		want := wantConfig
		want.TLS = &v1alpha1.TLS{CASecretRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "ca"}, Key: "ca.crt"}}
		if diff := cmp.Diff(want, pc.Spec); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})

	t.Run("KeaReservation", func(t *testing.T) {
		parameters := v1alpha1.KeaReservationParameters{Subnet: "10.123.0.0/24", HWAddress: "00:02:12:34:56:78"}
		r := &v1alpha1.KeaReservation{ObjectMeta: name, Spec: v1alpha1.KeaReservationSpec{ForProvider: parameters}}
		create(t, r)
		want := v1alpha1.KeaReservationSpec{
			ManagedResourceSpec: xpv2.ManagedResourceSpec{
				ProviderConfigReference: &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"},
				ManagementPolicies:      xpv2.ManagementPolicies{xpv2.ManagementActionAll},
			},
			ForProvider: parameters,
		}
		if diff := cmp.Diff(want, r.Spec); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

// A list that is empty says "none", one that is left out says nothing. The
// controller reads and writes whole objects, and must not turn one into the
// other.
func TestEmptyListsSurviveTheTypedClient(t *testing.T) {
	cases := map[string]struct {
		reason string
		object string
		want   map[string]any // the lists that the API server holds
	}{
		"Empty": {
			reason: "Two empty lists stay.",
			object: `{subnetId: 1, hwAddress: "00:02:12:34:56:78", clientClasses: [], optionData: []}`,
			want:   map[string]any{"clientClasses": []any{}, "optionData": []any{}},
		},
		"LeftOut": {
			reason: "What is not managed does not become managed.",
			object: `{subnetId: 1, hwAddress: "00:02:12:34:56:78"}`,
			want:   map[string]any{},
		},
		"Full": {
			reason: "What is there stays.",
			object: `{subnetId: 1, hwAddress: "00:02:12:34:56:78", clientClasses: [gold], optionData: [{code: 6, data: 10.0.0.2, alwaysSend: false}]}`,
			want:   map[string]any{"clientClasses": []any{"gold"}, "optionData": []any{map[string]any{"code": int64(6), "data": "10.0.0.2", "alwaysSend": false}}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u := reservation(t, c.object)
			create(t, u)
			if diff := cmp.Diff(c.want, lists(t, u)); diff != "" {
				t.Errorf("%s\ncreated: -want, +got:\n%s", c.reason, diff)
			}

			r := &v1alpha1.KeaReservation{}
			key := client.ObjectKeyFromObject(u)
			if err := kube.Get(t.Context(), key, r); err != nil {
				t.Fatal(err)
			}
			r.Spec.ForProvider.IPAddress = "10.123.0.50"
			if err := kube.Update(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if err := kube.Get(t.Context(), key, u); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, lists(t, u)); diff != "" {
				t.Errorf("%s\nupdated: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestTypedEmptyList(t *testing.T) {
	r := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Namespace: metav1.NamespaceDefault}}
	r.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: "10.123.0.0/24", HWAddress: "00:02:12:34:56:78", ClientClasses: []string{}}
	create(t, r)
	if r.Spec.ForProvider.ClientClasses == nil || r.Spec.ForProvider.OptionData != nil {
		t.Errorf("want empty clientClasses and no optionData, got %#v and %#v", r.Spec.ForProvider.ClientClasses, r.Spec.ForProvider.OptionData)
	}
}

func create(t *testing.T, o client.Object) {
	t.Helper()
	if err := kube.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func lists(t *testing.T, u *unstructured.Unstructured) map[string]any {
	t.Helper()
	got := map[string]any{}
	for _, field := range []string{"clientClasses", "optionData"} {
		list, found, err := unstructured.NestedFieldNoCopy(u.Object, "spec", "forProvider", field)
		if err != nil {
			t.Fatal(err)
		}
		if found {
			got[field] = list
		}
	}
	return got
}
