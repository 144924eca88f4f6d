// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestExamplesApply makes sure that nobody starts with an error: the API server
// takes every example as it is, and no two of them get into each other's way.
func TestExamplesApply(t *testing.T) {
	// The examples' Secrets are in Crossplane's namespace, which a cluster with
	// Crossplane has.
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "crossplane-system"}}
	if err := kube.Create(t.Context(), namespace); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}

	files, err := filepath.Glob(filepath.Join(testenv.Root(), "examples", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("want examples, got %v, %v", files, err)
	}
	seen := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, u := range documents(t, data) {
				if err := kube.Create(t.Context(), u, client.DryRunAll); err != nil {
					t.Errorf("want it taken, got: %v", err)
				}
				id := fmt.Sprintf("%s %s/%s", u.GetKind(), u.GetNamespace(), u.GetName())
				if other := seen[id]; other != "" {
					t.Errorf("want a name of its own for %s, got that of the one in %s", id, other)
				}
				seen[id] = filepath.Base(file)
			}
		})
	}
}

// TestDesignApplies keeps what the design promises: these are its own words.
func TestDesignApplies(t *testing.T) {
	cases := map[string]check{
		v1alpha1.ClusterProviderConfigKind: {reason: "A ClusterProviderConfig with everything.", object: `
  servers:                             # the members of one HA group; at least one, unique names
  - {name: kea1, url: "https://kea1.example.com:8000"}
  - {name: kea2, url: "https://kea2.example.com:8000"}     # credentials and tls may be set per server; the ones below are the default
  hosts:
    storage: Auto                      # Auto | Memory | Database: where each server keeps reservations
    shared: false                      # true: one hosts-database behind all servers, written once
    persist: Never                     # Never | ConfigWrite: for reservations in memory, config-write after changes, debounced
  credentials:
    source: Secret                     # None | Secret
    secretRef: {namespace: crossplane-system, name: kea-credentials}      # keys: username, password
  tls:
    caSecretRef: {namespace: crossplane-system, name: kea-ca, key: ca.crt}
    clientCertificateSecretRef: {namespace: crossplane-system, name: kea-client}   # kubernetes.io/tls; sent in addition to basic authentication if both are set
    serverName: ""
    insecureSkipVerify: false
  timeout: 10s
  snapshotInterval: 30s
`},
		v1alpha1.KeaReservationKind: {reason: "A KeaReservation with everything.", object: `
  providerConfigRef: {kind: ClusterProviderConfig, name: default}
  forProvider:
    subnet: 10.123.0.0/24              # or subnetId: 1; exactly one, immutable
    hwAddress: "00:02:12:34:56:78"     # immutable; upper case and dashes accepted
    ipAddress: 10.123.0.50             # omitted: the address of the device's current lease, once it has one
    hostname: vm01
    clientClasses: []
    optionData: [{name: domain-name-servers, data: 10.0.0.2}]      # name or code; space, alwaysSend, neverSend, clientClasses, csvFormat
    nextServer: ""
    serverHostname: ""
    bootFileName: ""
`},
	}
	for kind, c := range cases {
		t.Run(kind, func(t *testing.T) { try(t, fromYAML(t, kind, c.object), c) })
	}
}

// documents reads the objects of a file, however many they are.
func documents(t *testing.T, data []byte) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	r := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &u.Object); err != nil {
			t.Fatal(err)
		}
		out = append(out, u)
	}
}
