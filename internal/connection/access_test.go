// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"net/netip"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestGrantOf(t *testing.T) {
	web := &v1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "web"}}
	entry := func(s *v1alpha1.NamespaceSelector, adopt v1alpha1.Takeover, subnets ...string) v1alpha1.Access {
		return v1alpha1.Access{Namespaces: s, Adopt: adopt, Subnets: subnets}
	}
	type want struct {
		take    reservation.Takeover
		allowed bool
	}
	cases := map[string]struct {
		reason string
		access []v1alpha1.Access
		labels map[string]string
		want   want
	}{
		"LeftOut":    {reason: "Without access everything is allowed.", want: want{reservation.TakeAny, true}},
		"Empty":      {reason: "An empty list is as one that is left out.", access: []v1alpha1.Access{}, want: want{reservation.TakeAny, true}},
		"Default":    {reason: "An entry without adopt allows to adopt what is not marked.", access: []v1alpha1.Access{{}}, want: want{reservation.TakeUnmarked, true}},
		"Labels":     {reason: "A namespace with the labels is allowed.", access: []v1alpha1.Access{entry(web, "Any")}, labels: map[string]string{"team": "web", "x": "y"}, want: want{reservation.TakeAny, true}},
		"NoLabels":   {reason: "One without is not.", access: []v1alpha1.Access{entry(web, "Any")}},
		"OtherLabel": {reason: "Nor is one with others.", access: []v1alpha1.Access{entry(web, "Any")}, labels: map[string]string{"team": "db"}},
		"All":        {reason: "An empty selector is for all namespaces.", access: []v1alpha1.Access{entry(&v1alpha1.NamespaceSelector{}, "Never")}, want: want{reservation.TakeNothing, true}},
		"Expression": {
			reason: "Expressions count.", labels: map[string]string{"team": "db"}, want: want{reservation.TakeUnmarked, true},
			access: []v1alpha1.Access{entry(&v1alpha1.NamespaceSelector{MatchExpressions: []v1alpha1.NamespaceExpression{{Key: "team", Operator: metav1.LabelSelectorOpIn, Values: []string{"web", "db"}}}}, "Unmarked")},
		},
		"Unreadable": {
			reason: "A selector that cannot be read is for no namespace.",
			access: []v1alpha1.Access{entry(&v1alpha1.NamespaceSelector{MatchExpressions: []v1alpha1.NamespaceExpression{{Key: "team", Operator: "Is"}}}, "Any")},
		},
		"Subnet":      {reason: "A subnet inside is allowed.", access: []v1alpha1.Access{entry(nil, "Never", "10.0.0.0/8")}, want: want{reservation.TakeNothing, true}},
		"OtherSubnet": {reason: "Another is not.", access: []v1alpha1.Access{entry(nil, "Any", "10.65.0.0/16")}},
		"NoSubnet":    {reason: "Prefixes that cannot be read allow none.", access: []v1alpha1.Access{entry(nil, "Any", "x")}},
		"EmptyList":   {reason: "Nor does a list without any.", access: []v1alpha1.Access{{Subnets: []string{}}}},
		"Several":     {reason: "Of several entries for the namespace and the subnet the one counts that allows most.", access: []v1alpha1.Access{entry(nil, "Never"), entry(web, "Any"), entry(nil, "Unmarked", "10.64.0.0/16")}, want: want{reservation.TakeUnmarked, true}},
	}
	subnet := netip.MustParsePrefix("10.64.0.0/24")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			take, allowed := GrantOf(tc.access, tc.labels).Allows(subnet)
			if got := (want{take, allowed}); got != tc.want {
				t.Errorf("%s\nGrantOf(...): %+v, want %+v", tc.reason, got, tc.want)
			}
			if got := MayUse(tc.access, tc.labels, subnet); got != tc.want.allowed {
				t.Errorf("%s\nMayUse(...): %t", tc.reason, got)
			}
		})
	}
}
