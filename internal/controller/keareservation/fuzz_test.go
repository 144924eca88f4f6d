// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
)

// FuzzIntent: whatever a spec and the annotations say, an intent is in canonical form, or there is an
// error of one line that is no longer than what it is about.
func FuzzIntent(f *testing.F) {
	f.Add("10.0.0.9/24", int64(0), "00-02-12-34-56-AB", "10.0.0.5", "kea1, kea2,,", "00:02:12:34:56:ab")
	f.Add("", int64(1), "0002.1234.5678", "", "", "")
	f.Add("::/0", int64(4294967295), "x", "::1", ",", "x")
	f.Fuzz(func(t *testing.T, subnet string, id int64, hw, address, abandon, external string) {
		mg := &v1alpha1.KeaReservation{}
		mg.Namespace, mg.Name = "ns", "vm01"
		mg.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: subnet, HWAddress: hw, IPAddress: address}
		if id != 0 {
			mg.Spec.ForProvider.SubnetID = &id
		}
		mg.Annotations = map[string]string{v1alpha1.AnnotationKeyAbandon: abandon}
		in, err := intentOf(mg)
		if err != nil {
			if most := 300 + 4*(len(subnet)+len(hw)+len(address)); len(err.Error()) > most || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
			return
		}
		if parsed, err := kea.ParseHWAddress(string(in.HWAddress)); err != nil || parsed != in.HWAddress {
			t.Errorf("the hardware address is %q", in.HWAddress)
		}
		if p := in.Subnet.Prefix; p.IsValid() == (in.Subnet.ID != 0) || p.IsValid() && (p != p.Masked() || !p.Addr().Is4()) || in.Address.IsValid() && !in.Address.Is4() {
			t.Errorf("got %+v", in)
		}
		if slices.ContainsFunc(in.Abandon, func(name string) bool {
			return name == "" || strings.Contains(name, ",") || strings.TrimSpace(name) != name
		}) {
			t.Errorf("servers are called %q", in.Abandon)
		}
		meta.SetExternalName(mg, external)
		if missing, err := checkExternalName(mg, in.HWAddress); err == nil && !missing && external != "" && external != string(in.HWAddress) {
			t.Errorf("the external name %q is taken for %s", external, in.HWAddress)
		}
	})
}
