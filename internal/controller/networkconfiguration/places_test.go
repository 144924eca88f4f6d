// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// TestSurvey is about provider configurations without servers. What servers have to
// do with it is in the tests with a real Kea.
func TestSurvey(t *testing.T) {
	cluster := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "default", Annotations: map[string]string{annotationConfirmRemovals: "true"}}}
	ready := cluster.DeepCopy()
	ready.Status.SetConditions(xpv2.Available())
	limited := ready.DeepCopy()
	limited.Spec.Access = []v1alpha1.Access{{Namespaces: &v1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "web"}}, Subnets: []string{"10.0.0.0/16"}}}
	namespaced := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default", Annotations: map[string]string{annotationConfirmRemovals: "yes"}}}
	own := at("10.0.0.0/24")
	own.config = connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "default"}

	type want struct {
		Works    string
		Confirms bool
	}
	cases := map[string]struct {
		reason string
		has    []client.Object
		at     *place
		want   want
	}{
		"Missing": {
			reason: "A typo in the annotation names what does not exist", at: at("10.0.0.0/24"),
			want: want{Works: `ClusterProviderConfig "default" does not exist: create it, or correct annotation kea.crossplane.io/provider-config of the NetworkNamespace`},
		},
		"OtherKind": {
			reason: "One of the other kind is another one", has: []client.Object{cluster}, at: own,
			want: want{Works: `ProviderConfig "default" does not exist: create it, or correct annotation kea.crossplane.io/provider-config of the NetworkNamespace`},
		},
		"NotReady": {
			reason: "One that cannot be used is no place to move to", has: []client.Object{cluster}, at: at("10.0.0.0/24"),
			want: want{Works: `ClusterProviderConfig "default" is not Ready: its status says why`, Confirms: true},
		},
		"NotOpened": {
			reason: "What its status says may be from before a restart", has: []client.Object{ready}, at: at("10.0.0.0/24"),
			want: want{Works: `ClusterProviderConfig "default" is not Ready: its status says why`, Confirms: true},
		},
		"NotAllowed": {
			reason: "A subnet that the namespace may not use is no place to move to", has: []client.Object{limited}, at: at("10.99.0.0/24"),
			want: want{Works: `ClusterProviderConfig "default" does not let this namespace use 10.99.0.0/24: who manages it can allow that in spec.access`, Confirms: true},
		},
		"Allowed": {
			reason: "One that it may use is, once there is a server", has: []client.Object{limited}, at: at("10.0.0.0/24"),
			want: want{Works: `ClusterProviderConfig "default" is not Ready: its status says why`, Confirms: true},
		},
		"Namespaced": {
			reason: "Nothing but true confirms", has: []client.Object{namespaced}, at: own,
			want: want{Works: `ProviderConfig "default" is not Ready: its status says why`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := (&survey{kube: fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(tc.has...).Build(), groups: connection.NewGroups(), labels: teamWeb}).places(t.Context())
			got := want{Confirms: p.confirms(tc.at.config)}
			if err := p.works(tc.at, "ns"); err != nil {
				got.Works = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nplaces(...): -want, +got:\n%s", tc.reason, diff)
			}
			if owner := p.owner(tc.at, mac1); owner != "" {
				t.Errorf("owner(...): %q, want none", owner)
			}
		})
	}
}

// teamWeb returns the labels of the namespaces of team web.
func teamWeb(context.Context, string) (map[string]string, error) {
	return map[string]string{"team": "web"}, nil
}
