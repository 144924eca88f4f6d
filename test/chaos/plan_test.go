// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// planner makes up a history. It knows what each step leaves behind, so that a user never edits
// what was deleted before.
type planner struct {
	rand   *rand.Rand
	fleet  fleet
	names  []string // of all that is there, in an order that only the seed decides
	free   []int    // devices that were given up
	number int      // of names, devices and addresses so far
	steps  history
}

// A shape is how much happens in a history.
type shape struct {
	first  int           // the number of the first device
	fleet  int           // machines and reservations at the beginning
	start  time.Duration // in which users create these
	length time.Duration // of the history
	change time.Duration // between two steps of users or others after that, on average
	fault  time.Duration // between two faults, on average
	faults []fault       // of which each is one
	moves  bool          // whether machines move
}

// round is the shape of the nth round: there is a step of users or others about twice a second, and
// a fault every two seconds or so. Rounds that follow each other have other devices.
func round(n int) shape {
	return shape{
		first: firstDevice + n%rounds*ownDevices, fleet: 20, start: time.Second, length: roundLength,
		change: 500 * time.Millisecond, fault: 2 * time.Second, faults: allFaults(), moves: true,
	}
}

// plan makes up a history.
func plan(random *rand.Rand, of shape) history {
	p := &planner{rand: random, fleet: newFleet(), number: of.first}
	for range of.fleet {
		p.create(p.within(of.start))
	}
	for at := of.start; at < of.length; at += p.about(of.change) {
		p.change(at, of)
	}
	p.faults(of)
	slices.SortStableFunc(p.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	return p.steps
}

const (
	firstDevice = 256
	// ownDevices is how many numbers a round has to itself, and rounds how many rounds have.
	ownDevices, rounds = 250, 100
	// ownAddresses is how far the addresses of KeaReservations are from the numbers of their
	// devices, the addresses of leases.
	ownAddresses = 100 * 256
)

func (p *planner) add(at time.Duration, verb string, args ...string) {
	p.steps = append(p.steps, step{at: at.Round(10 * time.Millisecond), verb: verb, args: args})
}

// about returns a random time of this average.
func (p *planner) about(d time.Duration) time.Duration {
	return time.Duration(float64(d) * p.rand.ExpFloat64())
}

// within returns a random time up to this one.
func (p *planner) within(d time.Duration) time.Duration {
	return time.Duration(p.rand.Int64N(int64(d)))
}

func pick[T any](p *planner, from []T) T { return from[p.rand.IntN(len(from))] }

// change has users or others do something.
func (p *planner) change(at time.Duration, of shape) {
	if len(p.names) < of.fleet/4 {
		p.create(at)
		return
	}
	name := pick(p, p.names)
	switch n := p.rand.IntN(20); {
	case n < 5:
		p.create(at)
	case n < 10:
		p.delete(at, name)
	case n < 13:
		p.disturb(at, name)
	case n < 14 && of.moves:
		p.move(at, pick(p, namespaces))
	default:
		p.edit(at, name)
	}
}

func (p *planner) create(at time.Duration) {
	p.number++
	name := fmt.Sprintf("%s/vm%d", pick(p, namespaces), p.number)
	if p.rand.IntN(3) == 0 {
		r := &reserved{config: pick(p, configs), device: p.number, address: p.number + ownAddresses}
		p.add(at, "reserve", name, r.config, strconv.Itoa(r.device), strconv.Itoa(r.address))
		p.fleet.reservations[name] = r
	} else {
		m := &machine{devices: p.devices(at, 1+p.rand.IntN(2))}
		p.add(at, "machine", name, list(m.devices))
		p.fleet.machines[name] = m
	}
	p.names = append(p.names, name)
}

// devices returns devices that no machine has. Most of them have a lease, or obtain one soon.
func (p *planner) devices(at time.Duration, n int) []int {
	var out []int
	for range n {
		if len(p.free) > 0 && p.rand.IntN(2) == 0 {
			out = append(out, p.free[0])
			p.free = p.free[1:]
			continue
		}
		p.number++
		out = append(out, p.number)
		if p.rand.IntN(8) > 0 {
			p.add(max(0, at+p.within(8*time.Second)-2*time.Second), "lease", strconv.Itoa(p.number))
		}
	}
	return out
}

func (p *planner) delete(at time.Duration, name string) {
	p.add(at, "delete", name)
	if m, found := p.fleet.machines[name]; found {
		p.free = append(p.free, m.devices...)
	}
	delete(p.fleet.machines, name)
	delete(p.fleet.reservations, name)
	p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == name })
}

// disturb has another administrator change what a Kea has of something.
func (p *planner) disturb(at time.Duration, name string) {
	var config string
	var device int
	if m, found := p.fleet.machines[name]; found {
		namespace, _, _ := strings.Cut(name, "/")
		config, device = p.fleet.configs[namespace], m.devices[0]
	} else {
		config, device = p.fleet.reservations[name].config, p.fleet.reservations[name].device
	}
	servers := map[string][]string{pairConfig: {"kea1", "kea2"}, postgresConfig: {"kea3"}, mysqlConfig: {"kea4"}}
	p.add(at, pick(p, []string{"remove", "rename"}), pick(p, servers[config]), strconv.Itoa(device))
}

// move has a user move the machines of a namespace to other servers.
func (p *planner) move(at time.Duration, namespace string) {
	from := p.fleet.configs[namespace]
	to := pick(p, slices.DeleteFunc(slices.Clone(configs), func(c string) bool { return c == from }))
	p.fleet.configs[namespace] = to
	p.add(at, "move", namespace, to)
}

// edit has a user edit something.
func (p *planner) edit(at time.Duration, name string) {
	m, isMachine := p.fleet.machines[name]
	switch n := p.rand.IntN(2); {
	case !isMachine && n == 0:
		p.number++
		p.add(at, "readdress", name, strconv.Itoa(p.number+ownAddresses))
	case !isMachine:
		p.add(at, "hostname", name, fmt.Sprintf("host%d", p.rand.IntN(100)))
	case len(m.devices) > 1:
		p.free = append(p.free, m.devices[0])
		m.devices = m.devices[1:]
		p.add(at, "devices", name, list(m.devices))
	default:
		m.devices = append(m.devices, p.devices(at, 1)...)
		p.add(at, "devices", name, list(m.devices))
	}
}

// fault is a way to harm one thing, and back.
type fault struct{ on, begin, end string }

// allFaults are all that there are.
func allFaults() []fault {
	var out []fault
	for _, target := range []string{"kea1", "kea2", "kea3", "kea4", "provider1", "provider2", "apiserver", "postgres", "mysql", "webhook"} {
		out = append(out, fault{target, "kill", "start"})
		if target != "postgres" && target != "webhook" {
			out = append(out, fault{target, "freeze", "thaw"})
		}
	}
	for _, link := range []string{"provider-kea1", "provider-kea2", "provider-kea3", "provider-kea4", "provider1-apiserver", "provider2-apiserver", "kea1-kea2", "kea2-kea1"} {
		out = append(out, fault{link, "cut", "mend"}, fault{link, "sever", "mend"})
	}
	return out
}

// faults adds faults, of which several may last at a time, but one only for each thing.
func (p *planner) faults(of shape) {
	until := map[string]time.Duration{}
	for at := of.start + time.Second; at < of.length; at += p.about(of.fault) {
		f := pick(p, of.faults)
		if until[f.on] > at {
			continue
		}
		lasts := time.Second + p.within(5*time.Second)
		if p.rand.IntN(5) == 0 {
			lasts += 15 * time.Second // Longer than the lease of the leader election.
		}
		until[f.on] = at + lasts
		p.add(at, f.begin, f.on)
		p.add(min(at+lasts, of.length), f.end, f.on)
	}
}
