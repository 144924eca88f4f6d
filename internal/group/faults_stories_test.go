// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"net/netip"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// setup is the servers that a story happens on.
type setup struct {
	name string
	// config is what the step `config` takes, and store is where the servers keep reservations.
	config string
	store  kea.Target
	// bare means that the database has no reservations of others, by which one that is lost could be
	// told from an empty one.
	bare bool
	// saved means that Kea saves what is in its memory, some seconds after a change.
	saved bool
}

var setups = []setup{
	{name: "memory", store: kea.TargetMemory},
	{name: "memory, saved", config: "persist", store: kea.TargetMemory, saved: true},
	{name: "database", config: "database", store: kea.TargetDatabase},
	{name: "empty database", config: "database", store: kea.TargetDatabase, bare: true},
	{name: "pair, memory", config: "servers=2", store: kea.TargetMemory},
	{name: "pair, a database each", config: "servers=2 databases=2", store: kea.TargetDatabase},
	{name: "pair, one database", config: "servers=2 database shared", store: kea.TargetDatabase},
}

func (s setup) servers() int {
	if strings.Contains(s.config, "servers=2") {
		return 2
	}
	return 1
}

func (s setup) shared() bool { return strings.Contains(s.config, "shared") }

// story is what users do, or happens to Kea, and what comes of it.
type story struct {
	name, what string
	// file are the reservations that Kea has in its configuration file, or database, from the
	// beginning.
	file []string
	// before are steps that no fault meets, and act are those that faults meet.
	before, act []string
	// hosts are, at the end, those of the store beside the reservations of others, and resources how
	// the resources stand.
	hosts, resources []string
	// reads means that faults meet the routine of reading too. It is the same after all stories, and
	// what some of them are about.
	reads bool
	// on reports whether the story can happen on a setup; nil if it can on all.
	on func(setup) bool
}

const (
	mac  = "02:00:00:01:00:01"
	mac2 = "02:00:00:01:00:02"
	mac3 = "02:00:00:01:00:03"
)

var stories = []story{
	{
		name: "Create", reads: true, what: "A machine gets its reservation.",
		act:   []string{"want vm01 " + mac + " 10.64.0.50 hostname=a"},
		hosts: []string{mac + " 10.64.0.50 a owner ns/vm01"}, resources: []string{"vm01 Reserved 10.64.0.50"},
	},
	{
		name: "Pin", what: "A machine gets the address of its lease for good.",
		before: []string{"lease " + mac + " 10.64.0.50"},
		act:    []string{"want vm01 " + mac},
		hosts:  []string{mac + " 10.64.0.50 owner ns/vm01"}, resources: []string{"vm01 Reserved 10.64.0.50"},
	},
	{
		name: "Adopt", what: "A reservation without a mark becomes that of a resource, with its address and all that is in it.",
		file:  []string{mac + " 10.64.0.60 hostname=by-hand option=6:10.0.0.2 site=oslo"},
		act:   []string{"want vm01 " + mac},
		hosts: []string{mac + " 10.64.0.60 by-hand option 6=10.0.0.2 owner ns/vm01 site oslo"}, resources: []string{"vm01 Reserved 10.64.0.60"},
	},
	{
		name: "AdoptAnnotated", what: "With the annotation, another cluster's reservation is taken over and gets another address.",
		file:  []string{mac + " 10.64.0.60 hostname=by-hand owner=c2:x site=oslo"},
		act:   []string{"want vm01 " + mac + " 10.64.0.50 adopt"},
		hosts: []string{mac + " 10.64.0.50 by-hand owner ns/vm01 site oslo"}, resources: []string{"vm01 Reserved 10.64.0.50"},
	},
	{
		name: "Update", what: "Fields are changed, and one is set back.",
		before: []string{"want vm01 " + mac + " 10.64.0.50 hostname=a boot=x"},
		act:    []string{"want vm01 " + mac + " 10.64.0.50 hostname=b option=6:10.0.0.2"},
		hosts:  []string{mac + " 10.64.0.50 b option 6=10.0.0.2 owner ns/vm01"}, resources: []string{"vm01 Reserved 10.64.0.50"},
	},
	{
		name: "MoveAddress", what: "A reservation gets another address.",
		before: []string{"want vm01 " + mac + " 10.64.0.50"},
		act:    []string{"want vm01 " + mac + " 10.64.0.51"},
		hosts:  []string{mac + " 10.64.0.51 owner ns/vm01"}, resources: []string{"vm01 Reserved 10.64.0.51"},
	},
	{
		name: "MoveSubnet", what: "A machine moves to another subnet: it is reserved there, and then removed here.",
		before: []string{"want vm01 " + mac + " 10.64.0.50"},
		act:    []string{"want vm01-moved " + mac + " 10.65.0.50 subnet=10.65.0.0/16", "delete vm01"},
		hosts:  []string{mac + " 10.65.0.50 in subnet 2 owner ns/vm01-moved"}, resources: []string{"vm01-moved Reserved 10.65.0.50"},
	},
	{
		name: "Delete", what: "A machine goes. Another one stays.",
		before: []string{"want vm01 " + mac + " 10.64.0.50", "want vm02 " + mac2 + " 10.64.0.52"},
		act:    []string{"delete vm01"},
		hosts:  []string{mac2 + " 10.64.0.52 owner ns/vm02"}, resources: []string{"vm02 Reserved 10.64.0.52"},
	},
	{
		name: "DeleteLast", what: "The last machine goes.",
		before: []string{"want vm01 " + mac + " 10.64.0.50"},
		act:    []string{"delete vm01"},
	},
	{
		name: "Restore", reads: true, what: "Kea restarts, and loses what it had in memory.",
		before: []string{"want vm01 " + mac + " 10.64.0.50 hostname=a", "want vm02 " + mac2 + " 10.64.0.52"},
		act:    []string{"kea restart"},
		hosts:  []string{mac + " 10.64.0.50 a owner ns/vm01", mac2 + " 10.64.0.52 owner ns/vm02"}, resources: []string{"vm01 Reserved 10.64.0.50", "vm02 Reserved 10.64.0.52"},
	},
	{
		name: "Drift", reads: true, what: "A reservation is removed by hand, and another one is changed.",
		before: []string{"want vm01 " + mac + " 10.64.0.50 hostname=a", "want vm02 " + mac2 + " 10.64.0.52"},
		act:    []string{"kea del STORE " + mac, "kea put STORE " + mac2 + " 10.64.0.59 owner=vm02"},
		hosts:  []string{mac + " 10.64.0.50 a owner ns/vm01", mac2 + " 10.64.0.52 owner ns/vm02"}, resources: []string{"vm01 Reserved 10.64.0.50", "vm02 Reserved 10.64.0.52"},
	},
	{
		name: "CatchUp", reads: true, what: "A server returns, after a machine has come, another one has changed, and a third one has gone.",
		before: []string{
			"want vm01 " + mac + " 10.64.0.50 hostname=a", "want vm02 " + mac2 + " 10.64.0.52", "kea2 fail any Refuse", "tick 10s",
			"want vm01 " + mac + " 10.64.0.50 hostname=b", "delete vm02", "want vm03 " + mac3 + " 10.64.0.53",
		},
		act:   []string{"kea2 heal"},
		hosts: []string{mac + " 10.64.0.50 b owner ns/vm01", mac3 + " 10.64.0.53 owner ns/vm03"}, resources: []string{"vm01 Reserved 10.64.0.50", "vm03 Reserved 10.64.0.53"},
		on: func(s setup) bool { return s.servers() > 1 },
	},
}

// begin makes the servers of a story, with the reservations of others in them, which it returns, and
// takes the steps before it.
func (s story) begin(w *world, on setup) (theirs []string) {
	w.step("config subnet=2:10.65.0.0/16 " + on.config)
	w.startKeas()
	for i, k := range w.keas {
		for _, r := range others(on, i) {
			k.PutReservation(r.store, r.host)
		}
	}
	theirs = w.holdings()
	for i, k := range w.keas {
		for _, text := range s.file {
			if i == 0 || !on.shared() {
				k.PutReservation(on.store, w.host(strings.Fields(text)))
			}
		}
		k.KeepInFile()
	}
	w.start()
	w.take(on, s.before)
	if on.saved {
		w.pass(3 * beat)
	}
	return theirs
}

// take takes steps.
func (w *world) take(on setup, steps []string) {
	for _, step := range steps {
		if lease, ok := strings.CutPrefix(step, "lease "); ok { // Servers of a pair exchange leases.
			for _, k := range w.keas {
				k.AddLease(w.lease(strings.Fields(lease)))
			}
			continue
		}
		w.step(strings.ReplaceAll(step, "STORE", string(on.store)))
	}
}

// stored is a reservation in a store.
type stored struct {
	store kea.Target
	host  kea.Reservation
}

// others are the reservations that belong to no resource here, of each kind that could be mistaken
// for one of ours: next to its address, with its device in another subnet or globally, with the bytes
// of its device as another identifier, of another cluster, with an option whose content is not
// returned.
func others(on setup, server int) []stored {
	mark := map[string]any{"crossplane": map[string]any{"cluster": "c2", "resource": "ns/vm01"}, "note": "theirs"}
	ip := func(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 64, 0, last}) }
	hosts := []kea.Reservation{
		{SubnetID: 1, HWAddress: "02:00:00:0f:00:01", IPAddress: ip(90), Hostname: "theirs", UserContext: map[string]any{"site": "bergen"}},
		{SubnetID: 1, HWAddress: "02:00:00:0f:00:02", IPAddress: ip(91), UserContext: mark, ClientClasses: []string{"pxe"}},
		{SubnetID: 1, HWAddress: "02:00:00:0f:00:03", IPAddress: ip(92), OptionData: []kea.OptionData{{Code: 43, Data: "0102", CSVFormat: new(false)}}},
		{SubnetID: 1, ClientID: "01020000010001", IPAddress: ip(93)},
		{SubnetID: 1, DUID: "00:03:00:01:02:00:00:01:00:01", IPAddress: ip(94)},
		{SubnetID: 1, CircuitID: "020000010001", IPAddress: ip(95)},
		{SubnetID: 1, FlexID: "020000010001", IPAddress: ip(96)},
		{SubnetID: 0, HWAddress: mac, Hostname: "global"},
		{SubnetID: 3, HWAddress: mac, IPAddress: netip.AddrFrom4([4]byte{10, 66, 0, 50}), Hostname: "elsewhere"},
	}
	var out []stored
	for _, h := range hosts {
		// Memory has none of a subnet that is not configured, a database can. With an option whose
		// content is not returned, nothing is saved.
		if h.SubnetID != 3 && (!on.saved || len(h.OptionData) == 0) {
			out = append(out, stored{kea.TargetMemory, h})
		}
	}
	if on.store == kea.TargetMemory || on.bare || on.shared() && server > 0 {
		return out
	}
	for i, h := range hosts {
		if h.HWAddress != mac && h.HWAddress != "" {
			h.HWAddress = kea.HWAddress("02:00:00:0e:00:0" + string(rune('1'+i)))
		}
		if h.SubnetID == 1 {
			h.IPAddress = ip(byte(100 + i))
		}
		out = append(out, stored{kea.TargetDatabase, h})
	}
	return out
}
