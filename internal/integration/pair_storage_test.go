// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestPairMemoryAndDatabase: one server keeps reservations in memory, the other in a database: both
// have all of them, each where it keeps them, and nowhere else.
func TestPairMemoryAndDatabase(t *testing.T) {
	t.Parallel()
	first, second := twoMemories.options(t)
	second.Postgres = postgres(t)
	p := newPairOf(t, first, second)
	pc := p.awaitConfig(someServe, allServe)
	equal(t, "the storage of kea1", pc.Status.Servers[0].Storage, v1alpha1.HostStorageMemory)
	equal(t, "the storage of kea2", pc.Status.Servers[1].Storage, v1alpha1.HostStorageDatabase)
	r := p.static("vm01", "10.123.0.50")
	p.onBoth(r)
	edit(p.site, r, withAddress("10.123.0.51"))
	p.await(r, replicated...)
	p.kea1.awaitHeld(mac, "10.123.0.51")
	p.kea2.awaitHeld(mac, "10.123.0.51")
	if _, err := p.kea2.at.Reservation(t.Context(), kea.TargetMemory, p.kea2.subnetID, mac); !errors.Is(err, kea.ErrNotFound) {
		t.Errorf("the memory of kea2 has it too, or cannot be read: %v", err)
	}
	p.checkQuiet(r)

	// A restart costs the one its memory, and the other nothing.
	writes := p.writesTo(p.kea2)
	p.kea1.Restart(t)
	p.kea2.Restart(t)
	p.kea1.awaitHeld(mac, "10.123.0.51")
	p.await(r, replicated...)
	p.awaitConfig(someServe, allServe)
	equal(t, "writes to kea2", p.writesTo(p.kea2), writes)
	p.delete(r)
	p.awaitGone(r)
	equal(t, "kea1 has nothing", p.kea1.held(mac) == nil, true)
	equal(t, "kea2 has nothing", p.kea2.held(mac) == nil, true)
}

// TestPairMovesToDatabase: a server whose configuration file has its reservations gets a database.
// They move there: the database has each of them before memory loses it, so that there is no moment
// in which a device could get another address. The other server is not written to.
func TestPairMovesToDatabase(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"kea1", "kea2"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, twoMemories)
			rs := p.idle(20)
			m := p.member(server)
			writes := p.writesTo(p.other(m))
			m.saveConfig()
			m.Stop()
			m.addDatabase(postgres(t))
			m.Start(t)
			m.awaitMoved(rs)
			m.awaitAll(rs)
			p.awaitEach("Replicated", rs, has(replicated...))
			p.awaitConfig(someServe, allServe)
			equal(t, "writes to "+p.other(m).name, p.writesTo(p.other(m)), writes)

			p.delete(rs[0])
			p.awaitGone(rs[0])
			equal(t, "the database has nothing", m.held(macOf(1)) == nil, true)
			edit(p.site, rs[1], withAddress("10.123.0.99"))
			p.await(rs[1], replicated...)
			m.awaitHeld(macOf(2), "10.123.0.99")
			p.other(m).awaitHeld(macOf(2), "10.123.0.99")
		})
	}
}

// saveConfig has the server write its reservations to its configuration file.
func (m *member) saveConfig() {
	m.t.Helper()
	if err := m.at.WriteConfig(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
}

// addDatabase adds a hosts-database to the configuration file of a server that does not run.
func (m *member) addDatabase(db *testenv.Postgres) {
	m.t.Helper()
	b, err := os.ReadFile(m.Config)
	if err != nil {
		m.t.Fatal(err)
	}
	c := map[string]map[string]any{}
	if err := json.Unmarshal(b, &c); err != nil {
		m.t.Fatal(err)
	}
	dhcp := c["Dhcp4"]
	dhcp["hooks-libraries"] = append([]any{object{"library": testenv.HookPgSQL}}, dhcp["hooks-libraries"].([]any)...)
	dhcp["hosts-database"] = db.HostsDatabase(nil)
	if b, err = json.Marshal(c); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.Config, b, 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.target = kea.TargetDatabase
}

// awaitMoved waits until memory has none of these reservations, and makes sure that the database has
// each of them as soon as memory does not.
func (m *member) awaitMoved(rs []*v1alpha1.KeaReservation) {
	m.t.Helper()
	for _, r := range rs {
		hw := kea.HWAddress(r.Spec.ForProvider.HWAddress)
		if got, err := m.at.Reservation(m.t.Context(), kea.TargetMemory, m.subnetID, hw); err == nil && got.IPAddress.String() != r.Spec.ForProvider.IPAddress {
			m.t.Fatalf("the configuration file has %s for %s: this test shows nothing", got.IPAddress, hw)
		}
	}
	testenv.Eventually(m.t, within, "the reservations to move to the database", func(ctx context.Context) error {
		inMemory := 0
		for _, r := range rs {
			hw := kea.HWAddress(r.Spec.ForProvider.HWAddress)
			_, err := m.at.Reservation(ctx, kea.TargetMemory, m.subnetID, hw)
			if err == nil {
				inMemory++
				continue
			}
			if !errors.Is(err, kea.ErrNotFound) {
				return err
			}
			if _, err := m.at.Reservation(ctx, kea.TargetDatabase, m.subnetID, hw); errors.Is(err, kea.ErrNotFound) {
				m.t.Fatalf("neither memory nor database has %s", hw)
			} else if err != nil {
				return err
			}
		}
		if inMemory > 0 {
			return fmt.Errorf("%d of %d are in memory", inMemory, len(rs))
		}
		return nil
	})
}
