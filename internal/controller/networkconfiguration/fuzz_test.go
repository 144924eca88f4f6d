// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"net/netip"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// FuzzInterfaces: each hardware address is listed once and in its canonical form, and what is made of
// a name that the API server accepts is one that it accepts.
func FuzzInterfaces(f *testing.F) {
	f.Add("vm01", "02:00:00:00:00:01", "02-00-00-00-00-01")
	f.Add(strings.Repeat("a.", 126)+"a", "0200.0000.000A ", "x")
	f.Fuzz(func(t *testing.T, name, first, second string) {
		nc := &vitistack.NetworkConfiguration{}
		nc.Spec.NetworkInterfaces = make([]vitistack.NetworkConfigurationInterface, 2)
		nc.Spec.NetworkInterfaces[0].MacAddress, nc.Spec.NetworkInterfaces[1].MacAddress = first, second
		seen := map[kea.HWAddress]bool{}
		for _, mac := range macsOf(nc) {
			if parsed, err := kea.ParseHWAddress(string(mac)); err != nil || parsed != mac || seen[mac] {
				t.Errorf("got %q", mac)
			}
			seen[mac] = true
			if len(validation.IsDNS1123Subdomain(name)) > 0 {
				continue
			}
			if got := reservationName(name, mac); len(validation.IsDNS1123Subdomain(got)) > 0 {
				t.Errorf("the name of a reservation is %q", got)
			}
		}
		if len(validation.IsDNS1123Subdomain(name)) == 0 {
			if got := labelValue(name); len(validation.IsValidLabelValue(got)) > 0 {
				t.Errorf("the label is %q", got)
			}
		}
	})
}

// FuzzNetwork: a network gives a place whose subnet is a masked IPv4 prefix, or a reason why not.
func FuzzNetwork(f *testing.F) {
	for _, seed := range [][2]string{{"10.0.0.9/24", "ClusterProviderConfig/a"}, {" 10.0.0.0/8 ", ""}, {"::/0", "ProviderConfig/a"}, {"x", "x"}, {"", "ProviderConfig/"}} {
		f.Add(seed[0], seed[1], seed[1] != "")
	}
	f.Fuzz(func(t *testing.T, prefix, config string, annotated bool) {
		nc := &vitistack.NetworkConfiguration{}
		nc.Namespace, nc.Name, nc.Spec.NetworkNamespaceName = "ns", "nc", "nn"
		nn := vitistack.NetworkNamespace{}
		nn.Namespace, nn.Name, nn.Status.IPv4Prefix = "ns", "nn", prefix
		if annotated {
			nn.Annotations = map[string]string{annotationProviderConfig: config}
		}
		c := policy{config: connection.DefaultRef}.claimOf(nc, []vitistack.NetworkNamespace{nn})
		if c.ours && (c.place != nil) == (c.waiting != "" || c.wrong != "") {
			t.Errorf("got %+v", c)
		}
		if c.place == nil {
			return
		}
		if p, err := netip.ParsePrefix(c.place.subnet); err != nil || p != p.Masked() || !p.Addr().Is4() {
			t.Errorf("the subnet is %q", c.place.subnet)
		}
		if ref, err := connection.ParseRef(c.place.config.Kind + "/" + c.place.config.Name); err != nil || ref.In("ns") != c.place.config {
			t.Errorf("the configuration is %+v, %v", c.place.config, err)
		}
	})
}
