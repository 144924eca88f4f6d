// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"net/netip"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// GrantOf returns what the namespace with some labels may use, given spec.access of a
// ClusterProviderConfig: everything if that is empty.
func GrantOf(access []v1alpha1.Access, namespace map[string]string) reservation.Grant {
	g := reservation.Grant{Limited: len(access) > 0}
	for i := range access {
		if selects(access[i].Namespaces, namespace) {
			g.Rules = append(g.Rules, ruleOf(&access[i]))
		}
	}
	return g
}

// MayUse reports whether the namespace with some labels may use a subnet, given spec.access of a
// ClusterProviderConfig.
func MayUse(access []v1alpha1.Access, namespace map[string]string, subnet netip.Prefix) bool {
	_, allowed := GrantOf(access, namespace).Allows(subnet)
	return allowed
}

// selects reports whether a selector selects a namespace. The API server has validated it before:
// one that cannot be read selects none.
func selects(s *v1alpha1.NamespaceSelector, namespace map[string]string) bool {
	if s == nil {
		return true
	}
	l := &metav1.LabelSelector{MatchLabels: s.MatchLabels}
	for _, e := range s.MatchExpressions {
		l.MatchExpressions = append(l.MatchExpressions, metav1.LabelSelectorRequirement(e))
	}
	selector, err := metav1.LabelSelectorAsSelector(l)
	return err == nil && selector.Matches(labels.Set(namespace))
}

// ruleOf returns what an entry allows. A prefix that cannot be read allows nothing.
func ruleOf(a *v1alpha1.Access) reservation.Rule {
	r := reservation.Rule{Takeover: reservation.TakeUnmarked}
	switch a.Adopt {
	case v1alpha1.TakeoverNever:
		r.Takeover = reservation.TakeNothing
	case v1alpha1.TakeoverAny:
		r.Takeover = reservation.TakeAny
	case v1alpha1.TakeoverUnmarked:
	}
	if a.Subnets != nil {
		r.Prefixes = []netip.Prefix{}
	}
	for _, s := range a.Subnets {
		if p, err := netip.ParsePrefix(s); err == nil {
			r.Prefixes = append(r.Prefixes, p.Masked())
		}
	}
	return r
}
