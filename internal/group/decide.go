// SPDX-License-Identifier: Apache-2.0

package group

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// write is what a server is to be told.
type write int

const (
	writeNothing write = iota
	writeAdd
	writeUpdate
)

// look is all that a server's snapshot says about an intent.
type look struct {
	server string

	subnet       kea.Subnet
	subnetFound  bool
	subnetsKnown bool
	subnets      []kea.Subnet

	// here is the reservation in the place that is written to.
	here *kea.Reservation
	// shadow is one of the same host in the other place, and hides tells whether
	// that is memory: Kea looks there first, so that it hides one in the database.
	shadow *kea.Reservation
	hides  bool
	// lost is the last that was known of a reservation that has gone without our
	// doing, and what a new one starts from.
	lost *kea.Reservation
	// echo is what Kea made of the last write, where that is not the same.
	echo *echo

	holders     func(netip.Addr) []*kea.Reservation
	leases      []kea.Lease
	leasesKnown bool
}

// echo remembers that Kea answered got when it was given want: it writes some
// values in its own way, and a difference that it always makes is none.
type echo struct {
	want, got kea.Reservation
}

// verdict is what is to be done on a server about an intent.
type verdict struct {
	state   State
	message string
	write   write
	// want is the reservation to write.
	want kea.Reservation
	// dropShadow removes the copy in the other place, once want is in its own.
	dropShadow bool
	diff       string
}

// decide judges what is to be done on one server. address is the one that the
// group has chosen; the zero Addr where there is none.
func decide(l look, in Intent, address netip.Addr, cluster string) verdict {
	if v, stop := decideSubnet(l, in); stop {
		return v
	}
	me := mark{cluster: cluster, resource: in.Resource}
	for _, r := range []*kea.Reservation{l.here, l.shadow} {
		if owner, marked := foreign(r, me); marked && !in.Adopt {
			return verdict{state: OwnedByAnother, message: fmt.Sprintf("the reservation of %s in %s belongs to %s", in.HWAddress, in.Subnet, owner)}
		}
	}
	if !address.IsValid() {
		return decideWaiting(l, in, cluster)
	}
	if message := unusable(l.subnet.Prefix, address); message != "" {
		return verdict{state: AddressNotInSubnet, message: message}
	}
	if others := l.holders(address); len(others) > 0 {
		v := verdict{state: AddressConflict, message: fmt.Sprintf("%s is reserved for %s", address, describe(others[0]))}
		if l.here == nil && l.lost != nil && l.lost.IPAddress.IsValid() && len(l.holders(l.lost.IPAddress)) == 0 {
			// The device had another address, which went without our doing: it is
			// better off with that than with none.
			v.write, v.want, v.diff = writeAdd, l.lost.Clone(), "the reservation that there was is put back"
		}
		return v
	}
	return decideWrite(l, in, address, cluster)
}

// decideSubnet tells what is wrong with the subnet; false if nothing is.
func decideSubnet(l look, in Intent) (verdict, bool) {
	switch {
	case l.subnetFound:
		return verdict{}, false
	case !l.subnetsKnown:
		return verdict{state: HookMissing, message: fmt.Sprintf("server %s does not load libdhcp_subnet_cmds.so, so %s cannot be looked up: "+
			"load it in hooks-libraries, or name the subnet by subnetId", l.server, in.Subnet)}, true
	default:
		return verdict{state: SubnetNotFound, message: fmt.Sprintf("server %s has no %s; it has %s", l.server, in.Subnet, prefixes(l.subnets))}, true
	}
}

// foreign gives the mark of a reservation that is somebody else's.
func foreign(r *kea.Reservation, me mark) (mark, bool) {
	if r == nil {
		return mark{}, false
	}
	owner, marked := markOf(r)
	return owner, marked && !owner.sameOwner(me)
}

// decideWaiting judges a reservation that has no address yet. One that somebody
// left in Kea without an address is marked as ours, so that it goes with its
// resource.
func decideWaiting(l look, in Intent, cluster string) verdict {
	v := verdict{state: AwaitingLease, message: fmt.Sprintf("%s has no active lease in %s", in.HWAddress, in.Subnet)}
	if !l.leasesKnown {
		v.state = HookMissing
		v.message = fmt.Sprintf("server %s does not load libdhcp_lease_cmds.so, so the lease of %s cannot be looked up: load it in hooks-libraries, or set ipAddress",
			l.server, in.HWAddress)
	}
	if l.here != nil {
		w := decideWrite(l, in, netip.Addr{}, cluster)
		v.write, v.want, v.diff = w.write, w.want, w.diff
	}
	return v
}

// decideWrite compares what is there with what is wanted.
func decideWrite(l look, in Intent, address netip.Addr, cluster string) verdict {
	v := verdict{state: Pending, write: writeAdd, diff: "not in Kea"}
	base := kea.Reservation{}
	switch {
	case l.here != nil:
		base, v.write = *l.here, writeUpdate
	case l.shadow != nil:
		base = *l.shadow
	case l.lost != nil:
		base = *l.lost
	}
	v.want = desired(base, l.subnet.ID, address, in, cluster)
	v.dropShadow = l.shadow != nil && l.hides
	if l.here == nil {
		v.message = "not in Kea yet"
		return v
	}
	v.diff = difference(base, v.want)
	if v.diff == "" || l.echo.covers(base, v.want) {
		v.write, v.diff = writeNothing, ""
	}
	if v.dropShadow {
		v.diff = strings.TrimPrefix(v.diff+"; a copy in memory hides it", "; ")
	}
	v.message = v.diff
	if v.diff == "" {
		v.state = Reserved
	}
	return v
}

// covers tells whether Kea answered have to want when it was last written.
func (e *echo) covers(have, want kea.Reservation) bool {
	return e != nil && difference(e.got, have) == "" && difference(e.want, want) == ""
}

// choose gives the address to reserve: the one asked for; or that of the
// reservation there is, which is what the device is promised; or that of its
// newest active lease.
func choose(looks []look, in Intent) netip.Addr {
	if in.Address.IsValid() {
		return in.Address
	}
	for _, pick := range []func(look) *kea.Reservation{effective, func(l look) *kea.Reservation { return l.lost }} {
		for _, l := range looks {
			if r := pick(l); r != nil && r.IPAddress.IsValid() {
				return r.IPAddress
			}
		}
	}
	if lease := newestLease(looks); lease != nil {
		return lease.IPAddress
	}
	return netip.Addr{}
}

// effective is the reservation that Kea uses: memory comes first.
func effective(l look) *kea.Reservation {
	if l.here == nil || (l.hides && l.shadow != nil && l.shadow.IPAddress.IsValid()) {
		return l.shadow
	}
	return l.here
}

func newestLease(looks []look) *kea.Lease {
	var newest *kea.Lease
	for _, l := range looks {
		if len(l.leases) > 0 && (newest == nil || l.leases[0].CLTT.After(newest.CLTT)) {
			newest = &l.leases[0]
		}
	}
	return newest
}

// unusable tells why no host can have an address in a subnet; "" if one can. The
// zero prefix is one that the server does not tell.
func unusable(subnet netip.Prefix, address netip.Addr) string {
	switch {
	case !subnet.IsValid():
		return ""
	case !subnet.Contains(address):
		return fmt.Sprintf("%s is not inside %s", address, subnet)
	case subnet.Bits() > 30:
		// A /31 and a /32 have neither (RFC 3021).
		return ""
	case address == subnet.Addr():
		return fmt.Sprintf("%s is the network address of %s", address, subnet)
	case address == broadcast(subnet):
		return fmt.Sprintf("%s is the broadcast address of %s", address, subnet)
	}
	return ""
}

func broadcast(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	host := uint32(1)<<(32-p.Bits()) - 1
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])|host)
	return netip.AddrFrom4(a)
}

// describe names the holder of an address for people.
func describe(r *kea.Reservation) string {
	id := "another host"
	switch {
	case r.HWAddress != "":
		id = string(r.HWAddress)
	case r.ClientID != "":
		id = "client-id " + r.ClientID
	case r.DUID != "":
		id = "duid " + r.DUID
	case r.CircuitID != "":
		id = "circuit-id " + r.CircuitID
	case r.FlexID != "":
		id = "flex-id " + r.FlexID
	}
	if r.Hostname != "" {
		id += fmt.Sprintf(" (hostname %s)", r.Hostname)
	}
	if m, ok := markOf(r); ok {
		id += ", which belongs to " + m.String()
	}
	return id
}

// maxPrefixes bounds how many subnets a message names.
const maxPrefixes = 10

func prefixes(subnets []kea.Subnet) string {
	if len(subnets) == 0 {
		return "no subnet at all"
	}
	names := make([]string, 0, maxPrefixes)
	for _, s := range subnets[:min(len(subnets), maxPrefixes)] {
		names = append(names, fmt.Sprintf("%s (subnet-id %d)", s.Prefix, s.ID))
	}
	if more := len(subnets) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
