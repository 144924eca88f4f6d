// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// infiniband is a hardware address of twenty bytes, which no reservation is made for.
const infiniband = "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:0f:f1"

// TestInfiniBandBesideOthers: the interfaces whose hardware address can be used decide the phase,
// because readers take Error as final; the message names the address that cannot be used.
func TestInfiniBandBesideOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm01", "00:02:12:00:00:0a", infiniband, "00:02:12:00:00:0b")
	s.create(nc)
	named := func(phase string) {
		t.Helper()
		s.awaitPhase(nc, phase)
		contains(t, "the message", nc.Status.Message, infiniband)
	}
	named(vitistack.PhaseReconciling)
	s.lease("00:02:12:00:00:0a", "10.123.0.110")
	s.lease("00:02:12:00:00:0b", "10.123.0.111")
	named(vitistack.PhaseReady)
	var got []string
	for _, i := range nc.Status.NetworkInterfaces {
		got = append(got, fmt.Sprint(i.MacAddress, i.IPv4Addresses))
	}
	equal(t, "status.networkInterfaces", fmt.Sprint(got), fmt.Sprint([]string{
		"00:02:12:00:00:0a[10.123.0.110]", infiniband + "[]", "00:02:12:00:00:0b[10.123.0.111]",
	}))
}

// TestInfiniBandAlone: a NetworkConfiguration none of whose addresses can be used needs a person.
func TestInfiniBandAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm01", infiniband)
	s.create(nc)
	s.awaitPhase(nc, vitistack.PhaseError)
	contains(t, "the message", nc.Status.Message, infiniband)
}
