// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// This file looks at one server of a pair, and changes what it has, outside the provider.

// held reads what the server has of a device; nil if nothing.
func (m *member) held(hw string) *kea.Reservation {
	m.t.Helper()
	r, err := m.at.Reservation(m.t.Context(), m.target, m.subnetID, kea.HWAddress(hw))
	if errors.Is(err, kea.ErrNotFound) {
		return nil
	}
	if err != nil {
		m.t.Fatalf("cannot read what %s has of %s: %v", m.name, hw, err)
	}
	return &r
}

// address is the address that the server has for a device; the zero Addr if none.
func (m *member) address(hw string) netip.Addr {
	m.t.Helper()
	if r := m.held(hw); r != nil {
		return r.IPAddress
	}
	return netip.Addr{}
}

// eventually waits until check finds what the server has of a device as wanted.
func (m *member) eventually(what, hw string, check func(*kea.Reservation) error) {
	m.t.Helper()
	testenv.Eventually(m.t, within, what+" on "+m.name, func(ctx context.Context) error {
		r, err := m.at.Reservation(ctx, m.target, m.subnetID, kea.HWAddress(hw))
		if err != nil {
			return err
		}
		return check(&r)
	})
}

// awaitHeld waits until the server has a device's reservation with an address.
func (m *member) awaitHeld(hw, ip string) {
	m.t.Helper()
	m.eventually(ip+" for "+hw, hw, func(r *kea.Reservation) error {
		if r.IPAddress.String() != ip {
			return fmt.Errorf("it has %s", r.IPAddress)
		}
		return nil
	})
}

// awaitNotHeld waits until the server has nothing of a device.
func (m *member) awaitNotHeld(hw string) {
	m.t.Helper()
	testenv.Eventually(m.t, within, m.name+" to have nothing of "+hw, func(ctx context.Context) error {
		r, err := m.at.Reservation(ctx, m.target, m.subnetID, kea.HWAddress(hw))
		if errors.Is(err, kea.ErrNotFound) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("it has %+v", r))
	})
}

// awaitAll waits until the server has the addresses of all these KeaReservations.
func (m *member) awaitAll(rs []*v1alpha1.KeaReservation) {
	m.t.Helper()
	for _, r := range rs {
		m.awaitHeld(r.Spec.ForProvider.HWAddress, r.Spec.ForProvider.IPAddress)
	}
}

// put adds a reservation.
func (m *member) put(r kea.Reservation) {
	m.t.Helper()
	r.SubnetID = m.subnetID
	if err := m.at.AddReservation(m.t.Context(), m.target, r); err != nil {
		m.t.Fatal(err)
	}
}

// replace changes a reservation.
func (m *member) replace(r kea.Reservation) {
	m.t.Helper()
	r.SubnetID = m.subnetID
	if err := m.at.UpdateReservation(m.t.Context(), m.target, r); err != nil {
		m.t.Fatal(err)
	}
}

// remove deletes a reservation.
func (m *member) remove(hw string) {
	m.t.Helper()
	if err := m.at.DeleteReservation(m.t.Context(), m.target, m.subnetID, kea.HWAddress(hw)); err != nil {
		m.t.Fatal(err)
	}
}

// lease gives a device a lease that it obtained just now. Kea replicates leases of DHCP traffic, and
// not those that are added by command.
func (m *member) lease(hw, ip string) {
	m.t.Helper()
	s := &site{t: m.t, kea: m.Kea}
	s.command("lease4-add", object{"ip-address": ip, "hw-address": hw, "subnet-id": m.subnetID, "valid-lft": 3600})
}

// sentTo counts commands that the provider has sent to a server.
func (p *pair) sentTo(m *member, commands ...string) int {
	p.t.Helper()
	n, err := p.countTo(p.t.Context(), m, commands...)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *pair) countTo(ctx context.Context, m *member, commands ...string) (int, error) {
	counts, err := p.provider.commands(ctx)
	sum := 0
	for c, n := range counts {
		if c.config == p.namespace && c.server == m.name && slices.Contains(commands, c.command) {
			sum += n
		}
	}
	return sum, err
}

// writesTo counts what the provider has sent to add and change reservations on a server.
// reservation-del is not counted: it also asks whether there is a hosts-database.
func (p *pair) writesTo(m *member) int {
	p.t.Helper()
	return p.sentTo(m, "reservation-add", "reservation-update")
}

// awaitReads waits until the provider has begun this many more snapshots of a server.
func (p *pair) awaitReads(m *member, n int) { p.t.Helper(); p.awaitSentTo(m, "subnet4-list", n) }

// awaitSentTo waits until the provider has sent a server a command this many times more.
func (p *pair) awaitSentTo(m *member, command string, n int) {
	p.t.Helper()
	want := p.sentTo(m, command) + n
	testenv.Eventually(p.t, within, fmt.Sprintf("%d more %s to %s", n, command, m.name), func(ctx context.Context) error {
		got, err := p.countTo(ctx, m, command)
		if err == nil && got < want {
			err = fmt.Errorf("there are %d less", want-got)
		}
		return err
	})
}

// allUp checks the state of each server in the configuration's status.
func (p *pair) allUp(ctx context.Context) error {
	states, err := p.states(ctx)
	if err == nil && !slices.Equal(states, []string{"Up", "Up"}) {
		err = fmt.Errorf("they are %v", states)
	}
	return err
}

// states returns the states of the servers in the configuration's status, in order.
func (p *pair) states(ctx context.Context) ([]string, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.ClusterProviderConfigKind))
	if err := p.client.Get(ctx, client.ObjectKey{Name: p.namespace}, u); err != nil {
		return nil, err
	}
	servers, _, err := unstructured.NestedSlice(u.Object, "status", "servers")
	var out []string
	for _, s := range servers {
		state, _, _ := unstructured.NestedString(s.(object), "state")
		out = append(out, state)
	}
	return out, err
}
