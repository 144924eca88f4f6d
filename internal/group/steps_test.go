// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// step takes one step of a script and returns what it prints.
func (w *world) step(line string) string {
	words := strings.Fields(line)
	verb, rest := words[0], words[1:]
	steps := map[string]func([]string){
		"config": w.stepConfig, "start": func([]string) { w.start() }, "provider": w.stepProvider, "kea": func(words []string) { w.stepKea(w.kea, words) }, "kea2": func(words []string) { w.stepKea(w.keas[1], words) },
		"want": w.stepWant, "delete": w.stepDelete, "tick": w.stepTick, "look": w.stepLook, "facts": func([]string) { clear(w.facts) },
		"routine": w.stepRoutine, "meanwhile": w.stepMeanwhile,
		"configure": w.stepConfigure, "add": func([]string) { w.addServer() }, "remove": w.stepRemove,
	}
	run, ok := steps[verb]
	if !ok {
		w.t.Fatalf("there is no step %q: %s", verb, line)
	}
	run(rest)
	return w.report()
}

// report returns what was printed, and what has changed since the last report.
func (w *world) report() string {
	out := w.printed
	w.printed = nil
	if w.kea == nil {
		return strings.Join(out, "\n")
	}
	for i, server := range w.keas {
		out = append(out, w.reportServer(i, server)...)
	}
	for _, name := range w.names() {
		if state := w.resources[name].state; state != w.reported[name] {
			out = append(out, name+" "+state)
			w.reported[name] = state
		}
	}
	return strings.Join(append(out, w.changedFacts()...), "\n")
}

// reportServer returns what was sent to a server, and what it holds otherwise than before.
func (w *world) reportServer(i int, server *keatest.Server) []string {
	sent, at := "> ", ""
	if w.servers > 1 {
		sent, at = fmt.Sprintf("kea%d> ", i+1), fmt.Sprintf("@kea%d", i+1)
	}
	var out []string
	for _, l := range slices.DeleteFunc(server.Log(), isRoutine) {
		out = append(out, sent+l)
	}
	server.ResetLog()
	for _, place := range []kea.Target{kea.TargetMemory, kea.TargetDatabase} {
		store := reservation.Store{Server: fmt.Sprintf("kea%d", i+1), Place: place}
		now := w.hosts(i, place)
		for _, h := range w.held[store] {
			if !slices.Contains(now, h) {
				out = append(out, fmt.Sprintf("%s%s - %s", place, at, h))
			}
		}
		for _, h := range now {
			if !slices.Contains(w.held[store], h) {
				out = append(out, fmt.Sprintf("%s%s + %s", place, at, h))
			}
		}
		w.held[store] = now
	}
	return out
}

// changedFacts returns what is known of the servers, if that has changed since it was printed.
func (w *world) changedFacts() []string {
	if w.group == nil {
		return nil
	}
	var out []string
	for _, f := range w.group.Servers() {
		now := describeFacts(f)
		if strings.Join(now, "\n") != w.facts[f.Name] {
			out = append(out, now...)
		}
		w.facts[f.Name] = strings.Join(now, "\n")
	}
	return out
}

func describeFacts(f group.ServerFacts) []string {
	out := []string{f.Name + " writes to " + string(f.Storage)}
	if f.Err != nil {
		out[0] = f.Name + " cannot be used: " + f.Err.Error()
	}
	if f.SaveErr != nil {
		out = append(out, f.Name+" not saved: "+f.SaveErr.Error())
	}
	for _, warning := range f.Warnings {
		out = append(out, f.Name+" warning: "+warning)
	}
	return out
}

var routine = []string{"status-get", "list-commands", "version-get", "config-get", "subnet4-list", "subnet4-get", "reservation-get-page", "lease4-get-page", "statistic-get"}

func isRoutine(line string) bool {
	command, _, _ := strings.Cut(line, " ")
	return slices.Contains(routine, command) && (strings.HasSuffix(line, "-> 0") || strings.HasSuffix(line, "-> 3"))
}

// stepRoutine: `routine` prints how often each command was sent to each server since the last time.
func (w *world) stepRoutine([]string) {
	for i, k := range w.keas {
		prefix := ""
		if len(w.keas) > 1 {
			prefix = fmt.Sprintf("kea%d> ", i+1)
		}
		counts := k.Commands()
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			w.printf("%s%s: %d", prefix, name, counts[name])
		}
		k.ResetCommands()
	}
}

// stepMeanwhile: `meanwhile COMMAND kea …` does that just before Kea gets the next such command.
func (w *world) stepMeanwhile(words []string) { w.meanwhile[words[0]] = words[2:] }

// stepConfig: `config database readonly persist storage=Memory interval=10s host-cache
// subnet=ID:PREFIX in-subnet=false out-of-pool=true pool=FIRST-LAST global=true
// identifiers=client-id without=HOOK`.
func (w *world) stepConfig(words []string) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		set := map[string]func(){
			"database":    func() { w.options.Database = keatest.NewDatabase() },
			"backend":     func() { w.options.HostBackend = true },
			"readonly":    func() { w.options.DatabaseReadOnly = true },
			"host-cache":  func() { w.options.HostCache = true },
			"not-unique":  func() { w.options.AddressesNotUnique = true },
			"without":     func() { w.options.MissingHooks = append(w.options.MissingHooks, value) },
			"forbid":      func() { w.options.Forbidden = append(w.options.Forbidden, strings.Split(value, ",")...) },
			"read-only":   func() { w.options.ReadOnly = true },
			"identifiers": func() { w.options.Identifiers = strings.Split(value, ",") },
			"in-subnet":   func() { w.options.Global.ReservationsInSubnet = new(value == "true") },
			"out-of-pool": func() { w.options.Global.ReservationsOutOfPool = new(value == "true") },
			"global":      func() { w.options.Global.ReservationsGlobal = new(value == "true") },
			"pool": func() {
				first, last, _ := strings.Cut(value, "-")
				s := &w.options.Subnets[0]
				s.Pools = append(s.Pools, kea.Pool{First: netip.MustParseAddr(first), Last: netip.MustParseAddr(last)})
			},
			"subnet": func() {
				id, prefix, _ := strings.Cut(value, ":")
				w.options.Subnets = append(w.options.Subnets, keatest.Subnet(number(id), prefix))
			},
			"hidden": func() {
				w.options.Global.OptionData = append(w.options.Global.OptionData, w.option(value))
			},
			"persist":   func() { w.config.Persist = true },
			"servers":   func() { w.servers = int(number(value)) },
			"ids":       func() { w.ids = true },
			"databases": func() { w.options.Database, w.databases = keatest.NewDatabase(), int(number(value)) },
			"memory2":   func() { w.memory2 = true },
			"balanced":  func() { w.servers, w.balanced = 2, true },
			"shared":    func() { w.config.Shared = true },
			"storage":   func() { w.config.Storage = group.Storage(value) },
			"interval":  func() { w.config.Interval = w.duration(value) },
		}[name]
		if set == nil {
			w.t.Fatalf("there is no config %q", word)
		}
		set()
	}
}

// addServer: `add kea2` starts another server, and adds it to the configuration.
func (w *world) addServer() {
	w.servers++
	w.addKea(w.options)
	w.reconfigure()
}

// stepRemove: `remove kea2` takes a server out of the configuration.
func (w *world) stepRemove(words []string) {
	w.config.Servers = slices.DeleteFunc(slices.Clone(w.config.Servers), func(s group.ServerConfig) bool { return s.Name == words[0] })
	w.reconfigure()
}

func (w *world) reconfigure() {
	departed, err := w.group.Reconfigure(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range departed {
		w.printf("%s is no longer used; %d reservations stay there", d.Server, d.Reservations)
	}
	w.settle()
}

func number(s string) uint32 {
	var n uint32
	_, _ = fmt.Sscan(s, &n)
	return n
}

func (w *world) duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// stepConfigure: `configure no-hidden` changes Kea's configuration, for the next reload.
func (w *world) stepConfigure([]string) {
	w.kea.Configure(func(o *keatest.Options) { o.Global.OptionData = nil })
}

// stepProvider: `provider restart` makes a new group, with the same resources.
func (w *world) stepProvider([]string) {
	w.stop()
	w.start()
	for _, name := range w.names() {
		w.reconcile(name)
	}
	w.settle()
}

// stepWant: `want NAME MAC [IP] [hostname=…] [class=…] [option=CODE:DATA[,always][,never][,hex]]
// [subnet=PREFIX|subnet-id=ID] [adopt] [may=PREFIX|all|none[:never|unmarked|any]]` creates a
// resource, or edits it.
func (w *world) stepWant(words []string) {
	name := words[0]
	in := reservation.Intent{
		Resource: "ns/" + name, HWAddress: kea.HWAddress(words[1]), Subnet: reservation.SubnetRef{Prefix: netip.MustParsePrefix("10.64.0.0/16")},
	}
	for _, word := range words[2:] {
		w.setIntent(&in, word)
	}
	r := w.resources[name]
	if r == nil {
		r = &resource{}
		w.resources[name] = r
		w.group.Expect(in)
	} else if !in.Address.IsValid() {
		in.Address = r.intent.Address
	}
	r.spec, r.intent = in, in
	w.reconcile(name)
	w.settle()
}

func (w *world) setIntent(in *reservation.Intent, word string) {
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "hostname":
		in.Hostname = &value
	case "boot":
		in.BootFileName = &value
	case "class":
		in.ClientClasses = append(in.ClientClasses, value)
	case "subnet":
		in.Subnet = reservation.SubnetRef{Prefix: netip.MustParsePrefix(value)}
	case "subnet-id":
		in.Subnet = reservation.SubnetRef{ID: number(value)}
	case "adopt":
		in.Adopt = true
	case "may":
		in.Grant = w.grant(value)
	case "option":
		in.OptionData = append(in.OptionData, w.option(value))
	default:
		in.Address = netip.MustParseAddr(word)
	}
}

// grant reads PREFIX|all|none[:never|unmarked|any].
func (w *world) grant(s string) reservation.Grant {
	prefix, take, _ := strings.Cut(s, ":")
	g := reservation.Grant{Limited: true}
	if prefix == "none" {
		return g
	}
	rule := reservation.Rule{Takeover: map[string]reservation.Takeover{
		"never": reservation.TakeNothing, "": reservation.TakeUnmarked, "unmarked": reservation.TakeUnmarked, "any": reservation.TakeAny,
	}[take]}
	if prefix != "all" {
		rule.Prefixes = []netip.Prefix{netip.MustParsePrefix(prefix)}
	}
	g.Rules = []reservation.Rule{rule}
	return g
}

// option reads CODE:DATA[,always][,never][,hex].
func (w *world) option(s string) kea.OptionData {
	code, rest, _ := strings.Cut(s, ":")
	parts := strings.Split(rest, ",")
	o := kea.OptionData{Code: uint16(number(code)), Data: parts[0]}
	for _, flag := range parts[1:] {
		switch flag {
		case "always":
			o.AlwaysSend = new(true)
		case "never":
			o.NeverSend = new(true)
		case "hex":
			o.CSVFormat = new(false)
		default:
			o.ClientClasses = append(o.ClientClasses, flag)
		}
	}
	return o
}

// stepDelete: `delete NAME` deletes a resource.
func (w *world) stepDelete(words []string) {
	w.resources[words[0]].deleted = true
	w.reconcile(words[0])
	w.settle()
}

// stepTick: `tick 30s` lets time pass.
func (w *world) stepTick(words []string) { w.tick(w.duration(words[0])) }

// stepLook: `look NAME` observes a resource and prints how Kea differs.
func (w *world) stepLook(words []string) {
	o, err := w.group.Observe(w.resources[words[0]].intent)
	if err != nil {
		w.printf("error: %v", err)
		return
	}
	w.printf("%s %s, Kea differs: %q", words[0], o.State, o.Difference())
}

// stepKea: `kea …` is what others do to Kea.
func (w *world) stepKea(k *keatest.Server, words []string) {
	verb, rest := words[0], words[1:]
	switch verb {
	case "restart":
		k.Restart()
	case "reload":
		k.Reload()
	case "put":
		k.PutReservation(kea.Target(rest[0]), w.host(rest[1:]))
	case "garble":
		k.PutUnreadable(kea.Target(rest[0]), w.host(rest[1:]))
	case "del":
		k.DropReservation(kea.Target(rest[0]), w.host(rest[1:]))
	case "lease":
		k.AddLease(w.lease(rest))
	case "release":
		k.RemoveLease(netip.MustParseAddr(rest[0]))
	case "subnets":
		w.setSubnets(k, rest)
	case "fail":
		times := 0
		if len(rest) > 2 {
			times = int(number(rest[2]))
		}
		k.Fail(keatest.Fault{Command: strings.TrimPrefix(rest[0], "any"), Kind: keatest.FaultKind(rest[1]), Times: times})
	case "heal":
		k.ClearFaults()
		synctest.Wait() // Commands that hung have ended.
	case "lose-database":
		k.LoseDatabase()
	case "restore-database":
		k.RestoreDatabase()
	case "dhcpv6":
		w.options.Database.AddDHCPv6Hosts(int(number(rest[0])))
	default:
		w.t.Fatalf("there is no step kea %q", verb)
	}
}

// setSubnets: `kea subnets none`, or `kea subnets 1:10.64.0.0/16 …`.
func (w *world) setSubnets(k *keatest.Server, words []string) {
	var subnets []kea.SubnetDetail
	for _, word := range words {
		if id, prefix, ok := strings.Cut(word, ":"); ok {
			subnets = append(subnets, keatest.Subnet(number(id), prefix))
		}
	}
	k.SetSubnets(subnets...)
}

// host reads MAC [IP] [hostname=…] [boot=…] [class=…] [option=…] [owner=NAME|CLUSTER:NAME] [site=…]
// [subnet=ID].
func (w *world) host(words []string) kea.Reservation {
	r := kea.Reservation{SubnetID: 1, HWAddress: kea.HWAddress(words[0])}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "hostname":
			r.Hostname = value
		case "boot":
			r.BootFileName = value
		case "class":
			r.ClientClasses = append(r.ClientClasses, value)
		case "option":
			r.OptionData = append(r.OptionData, w.option(value))
		case "subnet":
			r.SubnetID = number(value)
		case "owner":
			owner, name, ok := strings.Cut(value, ":")
			if !ok {
				owner, name = cluster, value
			}
			w.setContext(&r, "crossplane", map[string]any{"cluster": owner, "resource": "ns/" + name})
		case "site":
			w.setContext(&r, "site", value)
		default:
			r.IPAddress = netip.MustParseAddr(word)
		}
	}
	return r
}

func (w *world) setContext(r *kea.Reservation, name string, v any) {
	if r.UserContext == nil {
		r.UserContext = map[string]any{}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		w.t.Fatal(err)
	}
	r.UserContext[name] = plain
}

// lease reads MAC IP [client-id=…] [declined] [valid=DURATION].
func (w *world) lease(words []string) kea.Lease {
	ip := netip.MustParseAddr(words[1])
	l := kea.Lease{HWAddress: kea.HWAddress(words[0]), IPAddress: ip, SubnetID: 1, CLTT: time.Now().Truncate(time.Second), ValidLifetime: time.Hour}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "client-id":
			l.ClientID = value
		case "declined":
			l.State, l.HWAddress = kea.LeaseStateDeclined, ""
		case "valid":
			l.ValidLifetime = w.duration(value)
		}
	}
	return l
}
