// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const hookHostCache = "libdhcp_host_cache.so"

var hooksWithCache = []string{hookHostCache, testenv.HookHostCmds, testenv.HookSubnetCmds, testenv.HookLeaseCmds}

// TestHostCacheIsNoDatabase: the host cache takes hosts and lists none, and is no hosts-database:
// reservations go into memory.
func TestHostCacheIsNoDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{Hooks: hooksWithCache})
	r := s.created(s.static("vm01", "10.123.0.50"))
	pc := s.config()
	s.await(pc, isReady)
	equal(t, "status.servers[0].storage", pc.Status.Servers[0].Storage, v1alpha1.HostStorageMemory)
	s.awaitHeld(mac, "10.123.0.50")
	s.checkNoWrites(r)
	equal(t, "what was written", s.writes(), 1)
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}

// TestHostCacheBeforeDatabase: with a hosts-database behind the cache, Kea 3.0 refuses each
// reservation-update of a host that it has not read since its start. The reservation is adopted
// all the same, or the condition names the hook; either way commands are not sent in a loop.
func TestHostCacheBeforeDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{Hooks: hooksWithCache, Postgres: postgres(t)})
	s.putHost(inDatabase, mac, "10.123.0.60", object{"hostname": "by-hand"})
	s.kea.Restart(t)
	r := s.static("vm01", "10.123.0.60")
	s.create(r)
	testenv.Eventually(t, within, "adoption, or a message that names the hook", func(ctx context.Context) error {
		if err := s.client.Get(ctx, s.key("vm01"), r); err != nil {
			return err
		}
		ready, synced := r.GetCondition(xpv2.TypeReady), r.GetCondition(xpv2.TypeSynced)
		if ready.Status == corev1.ConditionTrue && synced.Status == corev1.ConditionTrue || strings.Contains(ready.Message+synced.Message, hookHostCache) {
			return nil
		}
		return fmt.Errorf("Ready is %s %q, Synced is %s %q", ready.Status, ready.Message, synced.Status, synced.Message)
	})
	s.checkQuiet(r)
	h := s.host(inDatabase, mac)
	equal(t, "ip-address", fmt.Sprint(h["ip-address"]), "10.123.0.60")
	equal(t, "hostname", fmt.Sprint(h["hostname"]), "by-hand")
}
