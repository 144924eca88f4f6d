// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// gapStand is a database with rows of kea-dhcp6, in a server with three subnets.
type gapStand struct {
	*keatest.Server

	t        *testing.T
	client   *kea.Client
	database *keatest.Database
	hosts    int
}

func newGapStand(t *testing.T, missing ...string) *gapStand {
	t.Helper()
	g := &gapStand{t: t, database: keatest.NewDatabase()}
	g.Server = keatest.NewOffline(t, keatest.Options{Database: g.database, MissingHooks: missing, Subnets: []kea.SubnetDetail{
		keatest.Subnet(1, "10.1.0.0/24"), keatest.Subnet(2, "10.2.0.0/24"), keatest.Subnet(3, "10.3.0.0/24"),
	}})
	g.client = newClient(t, g.ClientConfig())
	return g
}

// host puts a host into a subnet, as another client does.
func (g *gapStand) host(subnetID uint32) {
	g.hosts++
	g.PutReservation(kea.TargetDatabase, g.reservation(subnetID))
}

func (g *gapStand) reservation(subnetID uint32) kea.Reservation {
	return hostIn(subnetID, kea.HWAddress(fmt.Sprintf("00:00:00:00:00:%02x", g.hosts)), "")
}

// list returns how many hosts a listing with pages of 10 has, and the commands that it took.
func (g *gapStand) list() (hosts int, commands string) {
	g.t.Helper()
	g.ResetLog()
	for page, err := range g.client.ReservationPages(g.t.Context(), 10) {
		if err != nil {
			g.t.Fatal(err)
		}
		hosts += len(page.Hosts)
	}
	return hosts, strings.ReplaceAll(strings.Join(g.Log(), "\n"), "reservation-get-page", "page")
}

func (g *gapStand) want(reason string, hosts int, commands ...string) {
	g.t.Helper()
	got, log := g.list()
	if got != hosts {
		g.t.Errorf("%s: got %d hosts, want %d", reason, got, hosts)
	}
	if diff := cmp.Diff(strings.Join(commands, "\n"), log); diff != "" {
		g.t.Errorf("%s: commands: -want +got:\n%s", reason, diff)
	}
}

// What a listing costs: one command beside the pages and the empty one, unless there is a gap.
func TestGapCost(t *testing.T) {
	g := newGapStand(t)
	g.host(1)
	g.want("the first listing asks every subnet", 1, "page -> 0", "page from 1:1 -> 3", "subnet4-list -> 0",
		"page 0 from 1:1 -> 3", "page 1 from 1:1 -> 3", "page 2 from 1:1 -> 3", "page 3 from 1:1 -> 3")
	g.want("later ones ask one in turn", 1, "page -> 0", "page from 1:1 -> 3", "page 0 from 1:1 -> 3")
	g.want("the next", 1, "page -> 0", "page from 1:1 -> 3", "page 1 from 1:1 -> 3")

	g.database.AddDHCPv6Hosts(25) // 2 … 26
	g.want("rows at the end are not seen", 1, "page -> 0", "page from 1:1 -> 3", "page 2 from 1:1 -> 3")
	g.hosts++
	if err := g.client.AddReservation(t.Context(), kea.TargetDatabase, g.reservation(1)); err != nil { // 27
		t.Fatal(err)
	}
	g.host(2) // 28
	g.want("a subnet that was written to is asked, and then all", 3, "page -> 0", "page from 1:1 -> 3",
		"page 1 from 1:1 -> 0", "subnet4-list -> 0", "page 0 from 1:1 -> 3", "page 1 from 1:1 -> 0", "page 2 from 1:1 -> 0", "page 3 from 1:1 -> 3",
		"page from 1:26 -> 0", "page from 1:28 -> 3", "page 0 from 1:28 -> 3", "page 1 from 1:28 -> 3", "page 2 from 1:28 -> 3", "page 3 from 1:28 -> 3")
	g.want("a gap that is known costs its empty page", 3, "page -> 0", "page from 1:1 -> 3", "page from 1:26 -> 0", "page from 1:28 -> 3", "page 3 from 1:28 -> 3")

	g.database.AddDHCPv6Hosts(30) // 29 … 58
	g.host(3)                     // 59
	for range 3 {
		g.list()
	}
	hosts, _ := g.list()
	if hosts != 4 {
		t.Errorf("a host that another client added behind a new gap: got %d hosts after a round of turns, want 4", hosts)
	}
}

// A known gap is not trusted beyond what the empty page shows.
func TestGapChanges(t *testing.T) {
	g := newGapStand(t)
	g.host(1)                    // 1
	g.database.AddDHCPv6Hosts(6) // 2 … 7
	g.host(2)                    // 8
	g.database.AddDHCPv6Hosts(6) // 9 … 14
	g.host(1)                    // 15
	g.database.AddDHCPv6Hosts(50)
	g.host(3)
	if hosts, _ := g.list(); hosts != 4 {
		t.Fatalf("got %d hosts, want 4", hosts)
	}
	g.DropReservation(kea.TargetDatabase, hostIn(2, "00:00:00:00:00:02", "")) // 2 … 14 is a gap now, in front of the known one.
	for range 2 {
		if hosts, log := g.list(); hosts != 3 {
			t.Errorf("a new gap before a known one: got %d hosts, want 3:\n%s", hosts, log)
		}
	}
	g.DropReservation(kea.TargetDatabase, hostIn(3, "00:00:00:00:00:04", ""))
	for range 2 {
		if hosts, log := g.list(); hosts != 2 {
			t.Errorf("nothing behind a known gap: got %d hosts, want 2:\n%s", hosts, log)
		}
	}
	g.SetSubnets(keatest.Subnet(1, "10.1.0.0/24"))
	for range 4 {
		if hosts, log := g.list(); hosts != 2 {
			t.Errorf("fewer subnets: got %d hosts, want 2:\n%s", hosts, log)
		}
	}
}

// A listing that ends early, or fails, forgets nothing.
func TestGapInterrupted(t *testing.T) {
	g := newGapStand(t)
	g.host(1)
	g.list()
	g.database.AddDHCPv6Hosts(25)
	g.hosts++
	if err := g.client.AddReservation(t.Context(), kea.TargetDatabase, g.reservation(2)); err != nil {
		t.Fatal(err)
	}
	for range g.client.ReservationPages(t.Context(), 10) {
		break
	}
	g.Fail(keatest.Fault{Command: "subnet4-list", Kind: keatest.ServerError, Times: 1})
	var err error
	for _, err = range g.client.ReservationPages(t.Context(), 10) {
	}
	wantClass(t, "a listing that fails at the gap", err, "unreachable")
	if hosts, log := g.list(); hosts != 2 {
		t.Errorf("got %d hosts, want 2:\n%s", hosts, log)
	}
}

// Without the hook library that lists subnets, those that were written to are known.
func TestGapWithoutSubnetCmds(t *testing.T) {
	g := newGapStand(t, kea.HookSubnetCmds)
	g.database.AddDHCPv6Hosts(25)
	g.want("no subnet is known", 0, "page -> 3", "subnet4-list -> 2")
	g.want("nor asked for again", 0, "page -> 3")
	g.hosts++
	if err := g.client.AddReservation(t.Context(), kea.TargetDatabase, g.reservation(2)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if hosts, log := g.list(); hosts != 1 {
			t.Errorf("got %d hosts, want 1:\n%s", hosts, log)
		}
	}
}
