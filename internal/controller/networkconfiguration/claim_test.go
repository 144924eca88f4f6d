// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func TestClaimOf(t *testing.T) {
	type args struct {
		policy   policy
		nc       *vitistack.NetworkConfiguration
		networks []vitistack.NetworkNamespace
	}
	byDefault := policy{config: clusterConfig("default")}
	strict := policy{strict: true, strictNetworks: true, config: clusterConfig("default")}
	one := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}
	dhcp := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0, allocation("dhcp", ""))}
	placed := func(p *place) claim { return claim{ours: true, place: p} }

	cases := map[string]struct {
		reason string
		args   args
		want   claim
	}{
		"ProviderUnset": {
			reason: "A NetworkConfiguration without a provider is ours by default",
			args:   args{policy: byDefault, nc: nc("vm", nil), networks: one},
			want:   placed(at("10.0.0.0/24")),
		},
		"ProviderUnsetStrict": {
			reason: "A strict policy refuses a NetworkConfiguration without a provider",
			args:   args{policy: strict, nc: nc("vm", nil), networks: dhcp},
			want:   claim{ours: true, wrong: "spec.provider is not set, and --strict-provider refuses to default to kea: set spec.provider to kea"},
		},
		"ProviderUnsetStrictStatic": {
			reason: "What is another component's is not refused",
			args: args{policy: strict, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, allocation("static", "")),
			}},
		},
		"ProviderUnsetStrictNoNetwork": {
			reason: "Whose it is depends on the network",
			args:   args{policy: strict, nc: nc("vm", nil)},
			want:   claim{ours: true, waiting: "waiting for a NetworkNamespace in namespace ns"},
		},
		"AllocationUnsetStrict": {
			reason: "A strict policy refuses a NetworkNamespace without an allocation",
			args:   args{policy: strict, nc: nc("vm", nil, provider("kea")), networks: one},
			want: claim{ours: true, wrong: "NetworkNamespace net has no spec.ipAllocation, and --strict-provider refuses to default to DHCP: " +
				"set its spec.ipAllocation.type to dhcp"},
		},
		"AllocationUnknownStrict": {
			reason: "An old CRD has no allocation",
			args:   args{policy: policy{strict: true, config: clusterConfig("default")}, nc: nc("vm", nil, provider("kea")), networks: one},
			want:   placed(at("10.0.0.0/24")),
		},
		"ProviderKea": {
			reason: "The provider's case and the space around it do not matter",
			args:   args{policy: strict, nc: nc("vm", nil, provider(" KEA ")), networks: dhcp},
			want:   placed(at("10.0.0.0/24")),
		},
		"Pending": {
			reason: "Nothing starts in a network that is not ready",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, provisioning("Pending")),
			}},
			want: claim{ours: true, waiting: "waiting for NetworkNamespace net to be provisioned: its status.provisioningPhase is Pending"},
		},
		"ProvisioningError": {
			reason: "An error of the network may pass: it is none of the machine's",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "", 0, provisioning("Error")),
			}},
			want: claim{ours: true, waiting: "waiting for NetworkNamespace net to be provisioned: its status.provisioningPhase is Error"},
		},
		"Provisioned": {
			reason: "A network that is ready is used",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, provisioning("Ready")),
			}},
			want: placed(at("10.0.0.0/24")),
		},
		"ProviderOther": {
			reason: "A NetworkConfiguration of another provider is not ours",
			args:   args{policy: byDefault, nc: nc("vm", nil, provider("static-ip-operator")), networks: one},
		},
		"Static": {
			reason: "A network with static addresses is not ours",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, allocation("static", "")),
			}},
		},
		"StaticForKea": {
			reason: "A network with static addresses is not ours, even if the NetworkConfiguration says so",
			args: args{policy: byDefault, nc: nc("vm", nil, provider("kea")), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, allocation("static", "kea")),
			}},
		},
		"OtherDHCP": {
			reason: "A network that another DHCP server serves is not ours",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, allocation("dhcp", "dnsmasq")),
			}},
		},
		"DHCP": {
			reason: "A network that Kea serves is ours",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, allocation("DHCP", "Kea ")),
			}},
			want: placed(at("10.0.0.0/24")),
		},
		"NoNetwork": {
			reason: "The NetworkNamespace may come later",
			args:   args{policy: byDefault, nc: nc("vm", nil)},
			want:   claim{ours: true, waiting: "waiting for a NetworkNamespace in namespace ns"},
		},
		"NamedMissing": {
			reason: "A name is not replaced by whatever else is there",
			args:   args{policy: byDefault, nc: nc("vm", nil, inNetwork("other")), networks: one},
			want:   claim{ours: true, waiting: "waiting for NetworkNamespace other, which spec.networkNamespaceName names"},
		},
		"Named": {
			reason: "The name decides among several",
			args: args{policy: byDefault, nc: nc("vm", nil, inNetwork("net")), networks: []vitistack.NetworkNamespace{
				nn("older", "10.9.0.0/24", 0), nn("net", "10.0.0.0/24", 5),
			}},
			want: placed(at("10.0.0.0/24")),
		},
		"Several": {
			reason: "Without a name the oldest is taken, and that is reported",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("a", "10.9.0.0/24", 5), nn("net", "10.0.0.0/24", 0),
			}},
			want: claim{
				ours: true, place: at("10.0.0.0/24"),
				guess: "namespace ns has 2 NetworkNamespaces and spec.networkNamespaceName names none: taking the oldest, net",
			},
		},
		"NoPrefix": {
			reason: "The prefix may come later",
			args:   args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{nn("net", " ", 0)}},
			want:   claim{ours: true, waiting: "waiting for NetworkNamespace net to get its status.ipv4Prefix"},
		},
		"HostBits": {
			reason: "The subnet is the prefix without host bits",
			args:   args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{nn("net", "10.0.0.9/24", 0)}},
			want:   placed(&place{network: "net", prefix: "10.0.0.9/24", subnet: "10.0.0.0/24", config: clusterConfig("default")}),
		},
		"PrefixNotIPv4": {
			reason: "A prefix that is none does not pass by itself",
			args:   args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{nn("net", "fd00::/64", 0)}},
			want: claim{ours: true, wrong: `status.ipv4Prefix of NetworkNamespace net is "fd00::/64": ` +
				"it must be an IPv4 prefix, for example 10.123.0.0/24"},
		},
		"Annotation": {
			reason: "A NetworkNamespace can name the provider configuration",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, annotated("ProviderConfig/kea")),
			}},
			want: placed(&place{
				network: "net", prefix: "10.0.0.0/24", subnet: "10.0.0.0/24",
				config: connection.Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "kea"},
			}),
		},
		"AnnotationMalformed": {
			reason: "A malformed annotation is reported, with what to write instead",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, annotated("Secret/kea")),
			}},
			want: claim{ours: true, wrong: `annotation kea.crossplane.io/provider-config of NetworkNamespace net is "Secret/kea": ` +
				"write <Kind>/<name>, for example ClusterProviderConfig/default or ProviderConfig/default"},
		},
		"AnnotationEmpty": {
			reason: "An empty annotation is malformed, and does not mean the default",
			args: args{policy: byDefault, nc: nc("vm", nil), networks: []vitistack.NetworkNamespace{
				nn("net", "10.0.0.0/24", 0, annotated("")),
			}},
			want: claim{ours: true, wrong: `annotation kea.crossplane.io/provider-config of NetworkNamespace net is "": ` +
				"write <Kind>/<name>, for example ClusterProviderConfig/default or ProviderConfig/default"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.args.policy.claimOf(tc.args.nc, tc.args.networks)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(claim{}, place{})); diff != "" {
				t.Errorf("\n%s\nclaimOf(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
