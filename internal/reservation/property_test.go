// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestMain runs properties more often than rapid's 100 times, unless -rapid.checks says how often:
// what goes wrong takes some coincidence.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("1000"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// TestDecideConverges executes plans on a small model of Kea: whatever the stores hold, two rounds
// lead to Reserved or to a state that needs something else to change, and the steps on the way
// there harm nothing.
func TestDecideConverges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		i := drawIntent(t)
		before := m.clone()
		started := reservation.Decide(m.views(i), i, me)
		var p reservation.Plan
		for range 2 {
			if p = reservation.Decide(m.views(i), i, me); len(p.Steps) == 0 {
				break
			}
			for _, step := range p.Steps {
				m.checkStep(t, step, i)
				m.execute(t, step, i)
			}
		}
		p = reservation.Decide(m.views(i), i, me)
		if len(p.Steps) > 0 {
			t.Fatalf("two rounds were not enough: %+v (%s), after %+v\n%s", planOf(p), p.Difference(), planOf(started), m)
		}
		if !reservation.InfoOf(p.State).Held && !reservation.InfoOf(p.State).Blocked {
			t.Fatalf("the plan has no steps, but is neither held nor blocked: %+v", planOf(p))
		}
		checkUnharmed(t, before, m, i)
		if p.State == reservation.Reserved {
			checkReserved(t, m, i, p)
		}
	})
}

// checkStep checks what a step would do before it is taken.
func (m *model) checkStep(t *rapid.T, step reservation.Step, i reservation.Intent) {
	if step.Want.HWAddress != mac {
		t.Fatalf("a step for another device: %+v", step)
	}
	st := m.stores[step.Store]
	held := st.hosts[hostKey{step.Want.SubnetID, mac}]
	if held != nil && ownedByOther(held) && !i.Adopt {
		t.Fatalf("a step on a reservation of another owner: %+v", step)
	}
	if step.Action == reservation.Remove {
		if st.primary || held == nil {
			t.Fatalf("a step removes %+v, which is not a copy", step)
		}
		return
	}
	for _, o := range step.Want.OptionData {
		if o.Opaque() && !slices.ContainsFunc(i.OptionData, func(w kea.OptionData) bool { return w.Code == o.Code && w.Opaque() }) {
			t.Fatalf("a step would erase option %d: %+v", o.Code, step)
		}
	}
}

// leftAlone reports whether an intent has to leave a reservation of its device as it is, where none
// has its own mark. One that is hidden gives the device no address.
func leftAlone(r *kea.Reservation, hidden bool, i reservation.Intent) bool {
	take, allowed := i.Grant.Allows(subnet.Prefix)
	_, marked := reservation.OwnerOf(r)
	switch {
	case !allowed:
		return true
	case marked:
		return ownedByOther(r) && (!i.Adopt || take != reservation.TakeAny)
	case i.WasReserved:
		return false
	}
	differs := !hidden && r.IPAddress.IsValid() && i.Address.IsValid() && r.IPAddress != i.Address
	return take == reservation.TakeNothing || differs && !i.Adopt
}

// holdsOne reports whether a reservation has the mark of the intent's resource.
func (m *model) holdsOne() bool {
	for _, st := range m.stores {
		for _, r := range st.hosts {
			if owner, marked := reservation.OwnerOf(r); marked && owner == me {
				return true
			}
		}
	}
	return false
}

func ownedByOther(r *kea.Reservation) bool {
	owner, marked := reservation.OwnerOf(r)
	return marked && owner != me
}

// checkUnharmed checks that what the intent has no say in is as it was.
func checkUnharmed(t *rapid.T, before, after *model, i reservation.Intent) {
	for at, was := range before.stores {
		is := after.stores[at]
		for k, r := range was.hosts {
			now := is.hosts[k]
			hidden := at.Place == kea.TargetDatabase && before.stores[reservation.Store{Server: at.Server, Place: kea.TargetMemory}] != nil &&
				before.stores[reservation.Store{Server: at.Server, Place: kea.TargetMemory}].hosts[k] != nil
			alone := leftAlone(r, hidden, i) && (ownedByOther(r) || !before.holdsOne())
			if _, allowed := i.Grant.Allows(subnet.Prefix); k.hw != mac || alone || !allowed {
				if diff := cmp.Diff(r, now, equate()); diff != "" {
					t.Fatalf("%s: a reservation that is not the intent's has changed: -before, +after:\n%s", at, diff)
				}
				continue
			}
			if now == nil && !was.primary {
				// A copy goes. Where the primary store had none, it has its content now.
				if primary := before.primaryOf(at); before.stores[primary].hosts[k] != nil {
					continue
				}
				now = after.stores[after.primaryOf(at)].hosts[k]
			}
			if now == nil {
				t.Fatalf("%s: the reservation is gone: %+v", at, r)
			}
			checkKept(t, r, now, i)
		}
		for k, r := range is.hosts {
			if was.hosts[k] == nil && k.hw != mac {
				t.Fatalf("%s: a reservation of another device has been added: %+v", at, r)
			}
		}
	}
}

// checkKept checks that a reservation has still what neither the spec sets nor its former mark
// names.
func checkKept(t *rapid.T, was, now *kea.Reservation, i reservation.Intent) {
	marks := managesOf(was)
	for _, f := range []struct {
		name     string
		wanted   *string
		was, now string
	}{
		{"hostname", i.Hostname, was.Hostname, now.Hostname},
		{"boot-file-name", i.BootFileName, was.BootFileName, now.BootFileName},
		{"client-classes", classesText(i.ClientClasses), strings.Join(was.ClientClasses, ","), strings.Join(now.ClientClasses, ",")},
	} {
		if f.wanted == nil && !slices.Contains(marks, f.name) && f.was != f.now {
			t.Fatalf("%s was %q, and is %q", f.name, f.was, f.now)
		}
	}
	if was.UserContext["note"] != now.UserContext["note"] {
		t.Fatalf("user-context was %v, and is %v", was.UserContext, now.UserContext)
	}
	if diff := cmp.Diff(was.Extra, now.Extra, equate()); diff != "" {
		t.Fatalf("members that the client does not know: -before, +after:\n%s", diff)
	}
	for _, o := range was.OptionData {
		managed := slices.ContainsFunc(marks, func(f string) bool {
			return strings.HasPrefix(f, "option-data/dhcp4/"+o.Name) || strings.HasPrefix(f, fmt.Sprintf("option-data/dhcp4/%d", o.Code))
		})
		wanted := slices.ContainsFunc(i.OptionData, func(w kea.OptionData) bool {
			return w.Code == o.Code && slices.Equal(w.ClientClasses, o.ClientClasses) && (o.Code != 125 || w.Data == o.Data)
		})
		kept := slices.ContainsFunc(now.OptionData, func(n kea.OptionData) bool { return cmp.Equal(o, n, equate()) })
		if !managed && !wanted && !kept {
			t.Fatalf("option %+v was lost: now %+v", o, now.OptionData)
		}
	}
}

func classesText(classes []string) *string {
	if classes == nil {
		return nil
	}
	return new(strings.Join(classes, ","))
}

func managesOf(r *kea.Reservation) []string {
	fields, _ := r.UserContext["crossplane"].(map[string]any)
	list, _ := fields["manages"].([]any)
	var out []string
	for _, f := range list {
		out = append(out, f.(string))
	}
	return out
}

// checkReserved checks that the primary store of every server has what the spec sets.
func checkReserved(t *rapid.T, m *model, i reservation.Intent, p reservation.Plan) {
	for at, st := range m.stores {
		if !st.primary {
			if r := st.hosts[hostKey{subnet.ID, mac}]; r != nil && at.Place == kea.TargetMemory {
				t.Fatalf("%s: a copy still hides the reservation in the database: %+v", at, r)
			}
			continue
		}
		r := st.hosts[hostKey{subnet.ID, mac}]
		if r == nil || r.IPAddress != p.Address {
			t.Fatalf("%s: %+v, want %s", at, r, p.Address)
		}
		if i.Hostname != nil && r.Hostname != strings.TrimSuffix(*i.Hostname, ".") {
			t.Fatalf("%s: hostname %q, want %q", at, r.Hostname, *i.Hostname)
		}
		if i.BootFileName != nil && r.BootFileName != *i.BootFileName {
			t.Fatalf("%s: boot-file-name %q, want %q", at, r.BootFileName, *i.BootFileName)
		}
		for _, w := range i.OptionData {
			if !slices.ContainsFunc(r.OptionData, func(o kea.OptionData) bool {
				return o.Code == w.Code && strings.EqualFold(o.Data, w.Data) && slices.Equal(o.ClientClasses, w.ClientClasses) &&
					isTrue(o.AlwaysSend) == isTrue(w.AlwaysSend)
			}) {
				t.Fatalf("%s: no option %+v in %+v", at, w, r.OptionData)
			}
		}
		if owner, marked := reservation.OwnerOf(r); (!marked || owner != me) && p.Message == "" {
			t.Fatalf("%s: not marked, and the plan does not say why: %+v", at, r)
		}
	}
}

func isTrue(b *bool) bool { return b != nil && *b }

// drawIntent draws what is wanted.
func drawIntent(t *rapid.T) reservation.Intent {
	i := in(none)
	if rapid.Bool().Draw(t, "address given") {
		i.Address = drawAddress(t, "wanted address")
	}
	if rapid.Bool().Draw(t, "hostname set") {
		// Kea drops the last dot of a name in this model: it stands for all that Kea spells
		// otherwise.
		i.Hostname = new(rapid.SampledFrom([]string{"", "a", "b", "a."}).Draw(t, "wanted hostname"))
	}
	if rapid.Bool().Draw(t, "boot file set") {
		i.BootFileName = new(rapid.SampledFrom([]string{"", "x.efi"}).Draw(t, "wanted boot file"))
	}
	if rapid.Bool().Draw(t, "classes set") {
		i.ClientClasses = rapid.SampledFrom([][]string{{}, {"gold"}, {"gold", "vip"}}).Draw(t, "wanted classes")
	}
	for _, o := range []kea.OptionData{
		{Code: 6, Data: "10.0.0.9"},
		{Name: "domain-name-servers", Data: "10.0.0.8", AlwaysSend: new(true)},
		{Code: 43, Data: "0104", CSVFormat: new(false)},
		{Code: 43, Data: "0105", CSVFormat: new(false), ClientClasses: []string{"gold"}},
		{Code: 125, Data: "2234"},
		{Code: 125, Data: "3561"},
		{Code: 222, Data: "cafe", CSVFormat: new(false)},
	} {
		if rapid.IntRange(0, 3).Draw(t, "wanted option") == 0 {
			if o.Name != "" {
				if slices.ContainsFunc(i.OptionData, func(w kea.OptionData) bool { return w.Code == 6 }) {
					continue
				}
				o.Code = 6
			}
			i.OptionData = append(i.OptionData, o)
		}
	}
	i.Adopt = rapid.IntRange(0, 3).Draw(t, "adopt") == 0
	i.WasReserved = rapid.Bool().Draw(t, "was reserved")
	if rapid.Bool().Draw(t, "limited") {
		i.Grant.Limited = true
		for range rapid.IntRange(0, 2).Draw(t, "rules") {
			i.Grant.Rules = append(i.Grant.Rules, reservation.Rule{
				Prefixes: rapid.SampledFrom([][]netip.Prefix{nil, {subnet.Prefix}, {netip.MustParsePrefix("10.99.0.0/16")}}).Draw(t, "prefixes"),
				Takeover: rapid.SampledFrom([]reservation.Takeover{reservation.TakeNothing, reservation.TakeUnmarked, reservation.TakeAny}).Draw(t, "take over"),
			})
		}
	}
	return i
}

func drawAddress(t *rapid.T, label string) netip.Addr {
	return ip(byte(rapid.IntRange(50, 53).Draw(t, label)))
}
