// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

const (
	wantAccessPrefix  = "a subnet must be an IPv4 prefix: write it as address/length, for example 10.64.0.0/16"
	wantAccessNetwork = "a subnet has host bits set: write the network address, for example 10.64.0.0/16 and not 10.64.0.5/16"
	wantExpression    = "operator In or NotIn needs values, and Exists or DoesNotExist takes none: write for example {key: team, operator: In, values: [web]}"
)

func TestClusterProviderConfigAccess(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format+", ", i)
		}
		return b.String()
	}
	cases := map[string]check{
		"None":           {reason: "Empty is as if it were left out.", object: ``},
		"Everything":     {reason: "An entry may allow everything.", object: `{}`},
		"Contract":       {reason: "All fields.", object: `{namespaces: {matchLabels: {team: web}}, subnets: [10.64.0.0/16, 10.65.1.0/24], adopt: Unmarked}`},
		"Expressions":    {reason: "As everywhere in Kubernetes.", object: `{namespaces: {matchExpressions: [{key: team, operator: In, values: [web]}, {key: x, operator: DoesNotExist}]}}`},
		"AllNamespaces":  {reason: "An empty selector selects all.", object: `{namespaces: {}, adopt: Never}`},
		"Host":           {reason: "A subnet of one address is one.", object: `{subnets: [10.64.0.1/32]}`},
		"AllAddresses":   {reason: "So is that of all.", object: `{subnets: [0.0.0.0/0]}`},
		"Many":           {reason: "The limits.", object: many(64, `{namespaces: {matchLabels: {team: "%d"}}, subnets: [`+many(64, "10.%d.0.0/16")+`]}`)},
		"TooMany":        {reason: "Over the limit.", object: many(65, `{namespaces: {matchLabels: {team: "%d"}}}`), want: "must have at most 64 items"},
		"NoSubnets":      {reason: "All, or none?", object: `{subnets: []}`, want: "should have at least 1 items"},
		"Address":        {reason: "An address is no prefix.", object: `{subnets: [10.64.0.1]}`, want: wantAccessPrefix},
		"HostBits":       {reason: "What is meant?", object: `{subnets: [10.64.0.0/16, 10.64.0.5/16]}`, want: wantAccessNetwork},
		"IPv6":           {reason: "Reservations are IPv4.", object: `{subnets: ["2001:db8::/32"]}`, want: wantAccessPrefix},
		"EmptySubnet":    {reason: "It says nothing.", object: `{subnets: [""]}`, want: wantAccessPrefix},
		"Adopt":          {reason: "One of three.", object: `{adopt: Sometimes}`, want: `supported values: "Never", "Unmarked", "Any"`},
		"NoOperator":     {reason: "A selector that selects nothing by mistake.", object: `{namespaces: {matchExpressions: [{key: team, operator: Is, values: [web]}]}}`, want: `supported values: "In", "NotIn", "Exists", "DoesNotExist"`},
		"NoValues":       {reason: "As above.", object: `{namespaces: {matchExpressions: [{key: team, operator: In}]}}`, want: wantExpression},
		"ValuesOfExists": {reason: "As above.", object: `{namespaces: {matchExpressions: [{key: team, operator: Exists, values: [web]}]}}`, want: wantExpression},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			try(t, fromYAML(t, v1alpha1.ClusterProviderConfigKind, `
  servers: [{name: kea1, url: "http://kea1:8000"}]
  access: [`+c.object+`]`), c)
		})
	}
}

// TestProviderConfigHasNoAccess: it is for its own namespace, which has its credentials.
func TestProviderConfigHasNoAccess(t *testing.T) {
	u := fromYAML(t, v1alpha1.ProviderConfigKind, `
  servers: [{name: kea1, url: "http://kea1:8000"}]
  access: [{}]`)
	if err := kube.Create(t.Context(), u); err == nil || !strings.Contains(err.Error(), `unknown field "spec.access"`) {
		t.Errorf("want access refused as unknown, got: %v", err)
	}
}

func TestAccessDefaults(t *testing.T) {
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	pc.Spec.Servers = []v1alpha1.Server{{Name: "kea1", URL: "http://kea1:8000"}}
	pc.Spec.Access = []v1alpha1.Access{{}}
	create(t, pc)
	if diff := cmp.Diff([]v1alpha1.Access{{Adopt: v1alpha1.TakeoverUnmarked}}, pc.Spec.Access); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
