// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// apply writes a spec as one of several managers of an object.
func apply(t *testing.T, manager, kind, name, spec string, o ...client.ApplyOption) (*unstructured.Unstructured, error) {
	t.Helper()
	u := fromYAML(t, kind, spec)
	u.SetGenerateName("")
	u.SetName(name)
	err := kube.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(u), append(o, client.FieldOwner(manager))...)
	return u, err
}

// A step is what one manager applies, and what the object then has.
type step struct {
	reason  string
	manager string
	object  string
	want    any
}

func play(t *testing.T, kind, name string, steps []step, got func(map[string]any) any) {
	t.Helper()
	t.Cleanup(func() { // so that the test may run again (-count)
		u := fromYAML(t, kind, "{}")
		u.SetName(name)
		if err := kube.Delete(context.Background(), u); err != nil {
			t.Error(err)
		}
	})
	for _, s := range steps {
		u, err := apply(t, s.manager, kind, name, s.object)
		if err != nil {
			t.Fatalf("%s\n%v", s.reason, err)
		}
		if diff := cmp.Diff(s.want, got(u.Object)); diff != "" {
			t.Errorf("%s\n-want, +got:\n%s", s.reason, diff)
		}
	}
}

func TestManagersShareServers(t *testing.T) {
	const kea1, kea2 = "http://kea1:8000", "http://kea2:8000"
	steps := []step{
		{reason: "The first makes the object.", manager: "one", object: `servers: [{name: kea1, url: "http://kea1:8000"}]`, want: map[string]string{"kea1": kea1}},
		{reason: "The second adds a server.", manager: "two", object: `servers: [{name: kea2, url: "http://kea2:8000"}]`, want: map[string]string{"kea1": kea1, "kea2": kea2}},
		{reason: "The first changes its own, and keeps the other's.", manager: "one", object: `servers: [{name: kea1, url: "https://kea1:8000"}]`, want: map[string]string{"kea1": "https://kea1:8000", "kea2": kea2}},
		{reason: "The second takes its server back, and not the other's.", manager: "two", object: `timeout: 5s`, want: map[string]string{"kea1": "https://kea1:8000"}},
	}
	play(t, v1alpha1.ClusterProviderConfigKind, "shared", steps, func(o map[string]any) any {
		servers, _, err := unstructured.NestedSlice(o, "spec", "servers")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, s := range servers {
			name, _, _ := unstructured.NestedString(s.(map[string]any), "name")
			got[name], _, _ = unstructured.NestedString(s.(map[string]any), "url")
		}
		return got
	})
}

func TestManagersShareForProvider(t *testing.T) {
	const mac = "00:02:12:34:56:78"
	steps := []step{
		{
			reason: "The first makes the object.", manager: "one",
			object: `forProvider: {subnetId: 1, hwAddress: "00:02:12:34:56:78", hostname: vm01, clientClasses: [gold, silver]}`,
			want:   map[string]any{"subnetId": int64(1), "hwAddress": mac, "hostname": "vm01", "clientClasses": []any{"gold", "silver"}},
		},
		{
			reason: "The second adds fields, without those that the object needs.", manager: "two",
			object: `forProvider: {ipAddress: 10.123.0.50, optionData: [{code: 6, data: 10.0.0.2}]}`,
			want: map[string]any{
				"subnetId": int64(1), "hwAddress": mac, "hostname": "vm01", "clientClasses": []any{"gold", "silver"},
				"ipAddress": "10.123.0.50", "optionData": []any{map[string]any{"code": int64(6), "data": "10.0.0.2"}},
			},
		},
		{
			reason: "The first takes a field back and replaces a list, and keeps the other's fields.", manager: "one",
			object: `forProvider: {subnetId: 1, hwAddress: "00:02:12:34:56:78", clientClasses: [bronze]}`,
			want: map[string]any{
				"subnetId": int64(1), "hwAddress": mac, "clientClasses": []any{"bronze"},
				"ipAddress": "10.123.0.50", "optionData": []any{map[string]any{"code": int64(6), "data": "10.0.0.2"}},
			},
		},
		{
			reason: "The second takes its own back.", manager: "two",
			object: `forProvider: {nextServer: 10.0.0.5}`,
			want:   map[string]any{"subnetId": int64(1), "hwAddress": mac, "clientClasses": []any{"bronze"}, "nextServer": "10.0.0.5"},
		},
	}
	play(t, v1alpha1.KeaReservationKind, "shared", steps, forProvider(t))

	// Kea's order of classes is one thing: nobody adds to another's list.
	const classes = `forProvider: {clientClasses: [gold]}`
	if _, err := apply(t, "three", v1alpha1.KeaReservationKind, "shared", classes); !apierrors.IsConflict(err) {
		t.Errorf("another's list: want a conflict, got %v", err)
	}
	u, err := apply(t, "three", v1alpha1.KeaReservationKind, "shared", classes, client.ForceOwnership)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"subnetId": int64(1), "hwAddress": mac, "clientClasses": []any{"gold"}, "nextServer": "10.0.0.5"}
	if diff := cmp.Diff(want, forProvider(t)(u.Object)); diff != "" {
		t.Errorf("a list taken over: -want, +got:\n%s", diff)
	}
}

func forProvider(t *testing.T) func(map[string]any) any {
	t.Helper()
	return func(o map[string]any) any {
		fields, _, err := unstructured.NestedMap(o, "spec", "forProvider")
		if err != nil {
			t.Fatal(err)
		}
		return fields
	}
}
