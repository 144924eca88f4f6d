// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestUnconfirmed is about a write whose outcome is not known.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	full := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me), named("known"))}}
	mark := func(m *mirror.Mirror) { m.SetUnconfirmed(memory, key(mac1), new(host(mac1, ip(1), named("before")))) }
	cases := map[string]struct {
		reason   string
		do       func(*mirror.Mirror)
		want     bool
		vanished string
	}{
		"Marked": {reason: "It is not known until the host is read.", do: mark, want: true},
		"Read": {
			reason: "A read settles it.",
			do:     func(m *mirror.Mirror) { mark(m); m.PutHost(memory, key(mac1), new(host(mac1, ip(2))), "") },
		},
		"ReadAndGone": {
			reason: "If the host turns out to be gone, what it was before the write is remembered.",
			do:     func(m *mirror.Mirror) { mark(m); m.PutHost(memory, key(mac1), nil, "ns/a") }, vanished: "before",
		},
		"Scanned": {
			reason: "A scan that began after it settles it.",
			do:     func(m *mirror.Mirror) { mark(m); scan(m, full, inMemory, noon.Add(time.Minute)) },
		},
		"ScannedAndGone": {
			reason: "Also where the host is gone: the last that was known of it is remembered.",
			do: func(m *mirror.Mirror) {
				mark(m)
				scan(m, content{subnets: full.subnets}, inMemory, noon.Add(time.Minute))
			},
			vanished: "known",
		},
		"DuringScan": {
			reason: "A scan that runs meanwhile does not.", want: true,
			do: func(m *mirror.Mirror) {
				sc := m.BeginScan("kea1", noon.Add(time.Minute))
				fill(sc, full, noon.Add(time.Minute))
				mark(m)
				m.Commit(sc, inMemory, noon.Add(time.Minute))
			},
		},
		"DuringFailedScan": {
			reason: "Nor does one that fails.", want: true,
			do: func(m *mirror.Mirror) { sc := m.BeginScan("kea1", noon.Add(time.Minute)); mark(m); m.Abandon(sc) },
		},
		"NotThereBefore": {
			reason: "A write of a new host remembers nothing.", want: true,
			do: func(m *mirror.Mirror) { m.SetUnconfirmed(memory, key(mac1), nil) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(full, inMemory)
			tc.do(m)
			if got := m.Unconfirmed("kea1", key(mac1)); got != tc.want {
				t.Errorf("%s\nUnconfirmed(...): %t, want %t", tc.reason, got, tc.want)
			}
			if m.Unconfirmed("kea1", key(mac2)) || m.Unconfirmed("kea2", key(mac1)) {
				t.Errorf("%s\nUnconfirmed(...): true for another host or server", tc.reason)
			}
			got := ""
			if v := viewOf(t, m, mac1, noon); v.Vanished != nil {
				got = v.Vanished.Hostname
			}
			if got != tc.vanished {
				t.Errorf("%s\nViews(...): vanished %q, want %q", tc.reason, got, tc.vanished)
			}
		})
	}
}

// TestWritesRemembered: what Kea made of a write, and what it refused, is part of the view until
// the resource is gone.
func TestWritesRemembered(t *testing.T) {
	t.Parallel()
	full := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1))}}
	m := scanned(full, inMemory)
	m.PutRewrite(memory, key(mac1), reservation.Rewrite{Want: host(mac1, ip(1), named("a")), Got: host(mac1, ip(1), named("a."))})
	m.PutRefusal(memory, key(mac1), reservation.Refusal{Want: host(mac1, ip(1)), Message: "no"})
	scan(m, full, inMemory, noon.Add(time.Minute))
	v := viewOf(t, m, mac1, noon)
	if v.Rewrite == nil || v.Rewrite.Got.Hostname != "a." || v.Refusal == nil || v.Refusal.Message != "no" {
		t.Errorf("Views(...): %+v and %+v, want what was recorded", v.Rewrite, v.Refusal)
	}
	if v := viewOf(t, m, mac2, noon); v.Rewrite != nil || v.Refusal != nil {
		t.Errorf("Views(...) of another device: %+v and %+v, want none", v.Rewrite, v.Refusal)
	}
	m.Forget(intent(mac1), me)
	if v := viewOf(t, m, mac1, noon); v.Rewrite != nil || v.Refusal != nil || v.Host == nil {
		t.Errorf("Views(...) after Forget: %+v and %+v, want none, and the host", v.Rewrite, v.Refusal)
	}
}
