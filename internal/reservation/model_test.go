// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// model is a small model of the stores of some servers, as far as plans are concerned. Its hosts
// have what Kea has, which is more than what Kea answers (see answer).
type model struct {
	order  []reservation.Store
	stores map[reservation.Store]*modelStore
	leases []kea.Lease
}

type hostKey struct {
	subnetID uint32
	hw       kea.HWAddress
}

type modelStore struct {
	primary bool
	hosts   map[hostKey]*kea.Reservation
	// What the provider remembers of the device's host.
	vanished *kea.Reservation
	rewrite  *reservation.Rewrite
	refusal  *reservation.Refusal
}

func (m *model) clone() *model {
	out := &model{order: m.order, leases: m.leases, stores: map[reservation.Store]*modelStore{}}
	for at, st := range m.stores {
		c := *st
		c.hosts = map[hostKey]*kea.Reservation{}
		for k, r := range st.hosts {
			c.hosts[k] = new(r.Clone())
		}
		out.stores[at] = &c
	}
	return out
}

// String lists the stores, for a test that fails.
func (m *model) String() string {
	var b strings.Builder
	for _, at := range m.order {
		for _, r := range m.stores[at].hosts {
			fmt.Fprintf(&b, "%s %+v\n", at, *r)
		}
	}
	return b.String()
}

func (m *model) primaryOf(at reservation.Store) reservation.Store {
	for other, st := range m.stores {
		if other.Server == at.Server && st.primary {
			return other
		}
	}
	return at
}

// answer returns a host as Kea answers it: an option 43 without its data.
func answer(r *kea.Reservation) *kea.Reservation {
	if r == nil {
		return nil
	}
	out := r.Clone()
	for i, o := range out.OptionData {
		if o.Code == 43 {
			out.OptionData[i].Data, out.OptionData[i].CSVFormat = "", new(false)
		}
	}
	return &out
}

// stored returns what Kea makes of a host that it is given.
func stored(r kea.Reservation) *kea.Reservation {
	out := r.Clone()
	out.Hostname = strings.TrimSuffix(out.Hostname, ".")
	for i := range out.OptionData {
		o := &out.OptionData[i]
		o.Space = "dhcp4"
		switch {
		case o.Code == 6 || o.Name == "domain-name-servers":
			o.Code, o.Name = 6, "domain-name-servers"
		case o.Code == 43:
			o.Name = "vendor-encapsulated-options"
		case o.Code == 125:
			o.Name = "vivso-suboptions"
		}
		if o.CSVFormat == nil {
			o.CSVFormat = new(true)
		}
		if !*o.CSVFormat {
			o.Data = strings.ToUpper(o.Data)
		}
		o.AlwaysSend, o.NeverSend = new(isTrue(o.AlwaysSend)), new(isTrue(o.NeverSend))
	}
	return &out
}

// execute takes a step as internal/group does, and remembers what Kea made of it.
func (m *model) execute(t *rapid.T, step reservation.Step, i reservation.Intent) {
	st, k := m.stores[step.Store], hostKey{step.Want.SubnetID, step.Want.HWAddress}
	_, exists := st.hosts[k]
	switch step.Action {
	case reservation.Remove:
		delete(st.hosts, k)
		return
	case reservation.Add:
		if exists {
			t.Fatalf("a step adds what is there: %+v", step)
		}
	case reservation.Update:
		if !exists {
			t.Fatalf("a step updates what is not there: %+v", step)
		}
	}
	if step.Want.IPAddress.IsValid() {
		for other, r := range st.hosts {
			if other != k && r.IPAddress == step.Want.IPAddress {
				t.Fatalf("a step writes the address of another host: %+v", step)
			}
		}
	}
	st.hosts[k] = stored(step.Want)
	got := answer(st.hosts[k])
	switch {
	case reservation.Same(step.Want, *got):
	case reservation.NotKept(step.Want, *got, i) != "":
		t.Fatalf("Kea of this model keeps everything, but %s: %+v", reservation.NotKept(step.Want, *got, i), got)
	default:
		st.rewrite = &reservation.Rewrite{Want: step.Want, Got: *got}
	}
}

// views returns what is known of every store.
func (m *model) views(i reservation.Intent) []reservation.View {
	var out []reservation.View
	for _, at := range m.order {
		st := m.stores[at]
		v := view(at.String(), leased(m.leases...), has(answer(st.hosts[hostKey{subnet.ID, mac}])))
		v.Primary, v.Rewrite, v.Refusal = st.primary, st.rewrite, st.refusal
		if v.Host == nil && st.primary {
			v.Vanished = answer(st.vanished)
		}
		out = append(out, v)
	}
	candidates := reservation.Candidates(out, i)
	for n := range out {
		for k, r := range m.stores[out[n].Store].hosts {
			if k.hw != mac && slices.Contains(candidates, r.IPAddress) {
				out[n].Holders = append(out[n].Holders, *answer(r))
			}
		}
	}
	return out
}

// drawModel draws servers and what their stores hold.
func drawModel(t *rapid.T) *model {
	m := &model{stores: map[reservation.Store]*modelStore{}}
	for _, server := range []string{"kea1", "kea2"}[:rapid.IntRange(1, 2).Draw(t, "servers")] {
		for _, name := range rapid.SampledFrom([][]string{{"memory"}, {"memory", "database"}, {"database", "memory"}}).Draw(t, "stores, the primary one first") {
			at := reservation.Store{Server: server, Place: kea.Target(name)}
			m.stores[at] = &modelStore{primary: len(m.order) == 0 || m.order[len(m.order)-1].Server != server, hosts: map[hostKey]*kea.Reservation{}}
			m.order = append(m.order, at)
			m.drawHosts(t, at)
		}
	}
	if rapid.Bool().Draw(t, "leased") {
		m.leases = []kea.Lease{lease(drawAddress(t, "lease"), noon)}
	}
	return m
}

// drawHosts draws the hosts of a store: the device's, in the subnet and in another one, and others.
func (m *model) drawHosts(t *rapid.T, at reservation.Store) {
	st := m.stores[at]
	used := map[netip.Addr]bool{}
	put := func(r *kea.Reservation) {
		if used[r.IPAddress] {
			return
		}
		used[r.IPAddress] = r.IPAddress.IsValid()
		st.hosts[hostKey{r.SubnetID, r.HWAddress}] = stored(*r)
	}
	if rapid.Bool().Draw(t, at.String()+" has the device") {
		put(drawHost(t, at.String()))
	} else if st.primary && rapid.Bool().Draw(t, at.String()+" has lost the device") {
		r := drawHost(t, at.String())
		r.UserContext = maps.Clone(r.UserContext)
		if r.UserContext == nil {
			r.UserContext = map[string]any{}
		}
		r.UserContext["crossplane"] = marked(me)["crossplane"]
		st.vanished = stored(*r)
	}
	for n := range rapid.IntRange(0, 2).Draw(t, at.String()+" other hosts") {
		r := drawHost(t, at.String())
		r.HWAddress = kea.HWAddress(fmt.Sprintf("00:00:00:00:00:%02x", n))
		put(r)
	}
	if rapid.Bool().Draw(t, at.String()+" has the device in another subnet") {
		r := drawHost(t, at.String())
		r.SubnetID, r.IPAddress = 2, netip.MustParseAddr("10.124.0.50")
		st.hosts[hostKey{2, mac}] = stored(*r)
	}
}

// drawHost draws a host of the device.
func drawHost(t *rapid.T, label string) *kea.Reservation {
	r := host(none)
	if rapid.IntRange(0, 4).Draw(t, label+" address set") > 0 {
		r.IPAddress = drawAddress(t, label+" address")
	}
	r.Hostname = rapid.SampledFrom([]string{"", "a", "theirs"}).Draw(t, label+" hostname")
	r.BootFileName = rapid.SampledFrom([]string{"", "x.efi", "caf\xe9"}).Draw(t, label+" boot file")
	r.ClientClasses = rapid.SampledFrom([][]string{nil, {"gold"}, {"silver"}}).Draw(t, label+" classes")
	for _, o := range []kea.OptionData{
		{Code: 3, Name: "routers", Data: "10.123.0.1"},
		{Code: 6, Data: "10.0.0.2"},
		{Code: 6, Data: "10.0.0.3", ClientClasses: []string{"gold"}},
		{Code: 43, Data: "01FF", CSVFormat: new(false)},
		{Code: 125, Data: "2234"},
		{Code: 125, Data: "9"},
		{Code: 222, Data: "cafe", CSVFormat: new(false), AlwaysSend: new(true)},
	} {
		if rapid.IntRange(0, 4).Draw(t, label+" option") == 0 {
			r.OptionData = append(r.OptionData, o)
		}
	}
	switch rapid.IntRange(0, 4).Draw(t, label+" mark") {
	case 0:
		r.UserContext = marked(me, drawManages(t, label)...)
	case 1:
		r.UserContext = marked(vm02, drawManages(t, label)...)
	case 2:
		r.UserContext = map[string]any{"note": "keep"}
	case 3:
		r.UserContext = map[string]any{"note": "keep", "crossplane": marked(me)["crossplane"]}
	}
	if rapid.IntRange(0, 3).Draw(t, label+" extra") == 0 {
		r.Extra = map[string]json.RawMessage{"new-member": json.RawMessage(`1`)}
	}
	return r
}

func drawManages(t *rapid.T, label string) []any {
	var out []any
	for _, f := range []string{
		"hostname", "boot-file-name", "client-classes", "option-data/dhcp4/6", "option-data/dhcp4/domain-name-servers", "option-data/dhcp4/125",
	} {
		if rapid.IntRange(0, 3).Draw(t, label+" manages") == 0 {
			out = append(out, f)
		}
	}
	return out
}
