// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const reasonDatabaseReadOnly = "DatabaseReadOnly"

// readOnly is a Kea that reads hosts from a database and writes none to it.
func readOnly(db *testenv.Postgres) testenv.KeaOptions {
	return testenv.KeaOptions{Postgres: db, Extra: object{"hosts-database": db.HostsDatabase(object{"readonly": true})}}
}

// stored makes a host in the database of a Kea that does not write there.
func stored(t *testing.T, db *testenv.Postgres, hw, ip, hostname string) {
	t.Helper()
	a := addr(ip).As4()
	db.Exec(t, fmt.Sprintf(`INSERT INTO hosts (dhcp_identifier, dhcp_identifier_type, dhcp4_subnet_id, ipv4_address, hostname)
		VALUES (decode('%s', 'hex'), 0, 1, %d, '%s')`, strings.ReplaceAll(hw, ":", ""), binary.BigEndian.Uint32(a[:]), hostname))
}

// TestReadOnlyDatabaseMemory: with storage Memory, a database that Kea only reads is no obstacle,
// and the hosts in it have their addresses.
func TestReadOnlyDatabaseMemory(t *testing.T) {
	t.Parallel()
	db := postgres(t)
	stored(t, db, other, "10.123.0.60", "inventory")
	s := newSite(t, readOnly(db), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Hosts.Storage = v1alpha1.HostStorageMemory })
	pc := s.config()
	s.await(pc, isReady)
	equal(t, "status.servers[0].storage", pc.Status.Servers[0].Storage, v1alpha1.HostStorageMemory)
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.awaitHeld(mac, "10.123.0.50")
	taken := s.reservation("vm02", params{HWAddress: "00:02:12:00:00:03", IPAddress: "10.123.0.60"})
	s.create(taken)
	s.await(taken, notReady(v1alpha1.ReasonAddressConflict, other)...)
	contains(t, "the message", taken.GetCondition(xpv2.TypeReady).Message, "inventory")
	s.checkQuiet(r, taken)
	s.kea.Restart(t)
	s.awaitHeld(mac, "10.123.0.50")
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}

// TestReadOnlyDatabaseAuto: where the provider would write to a database that Kea only reads, it
// says what to set instead.
func TestReadOnlyDatabaseAuto(t *testing.T) {
	t.Parallel()
	for _, storage := range []v1alpha1.HostStorage{v1alpha1.HostStorageAuto, v1alpha1.HostStorageDatabase} {
		t.Run(string(storage), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, readOnly(postgres(t)), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Hosts.Storage = storage })
			r := s.static("vm01", "10.123.0.50")
			s.create(r)
			pc := s.config()
			s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reasonDatabaseReadOnly, Message: "hosts.storage to Memory"})
			s.await(r, notSynced("hosts.storage to Memory"))
			equal(t, "what was written", s.writes(), 0)
			edit(s, pc, func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Hosts.Storage = v1alpha1.HostStorageMemory })
			s.await(pc, isReady)
			s.await(r, isReady, isSynced)
			s.awaitHeld(mac, "10.123.0.50")
		})
	}
}
