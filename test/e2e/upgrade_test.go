// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// A state is what an installation must not change that takes over from another.
type state struct {
	Reservations map[string]string // in Kea, whole, by hardware address
	Versions     map[string]string // of each KeaReservation, by namespace and name
}

// fleet makes what the next steps must keep: a machine with a pinned lease, beside
// what is there already.
func (w *world) fleet(t *testing.T) {
	t.Helper()
	networkConfiguration(t, machines, "fleet", eth0, eth1)
	w.wire.device(t, eth0).obtain()
	w.wire.device(t, eth1).obtain()
	w.awaitMachine(t, machines, "fleet")
}

// state reads what there is once nothing more is being written.
func (w *world) state(t *testing.T) state {
	t.Helper()
	var last state
	testenv.Eventually(t, within, "Kea and the KeaReservations to be read", func(ctx context.Context) error {
		now, err := w.look(ctx)
		if diff := cmp.Diff(last, now); err == nil && diff != "" {
			err = errors.New("it has just changed: " + diff)
		}
		last = now
		return err
	})
	return last
}

func (w *world) look(ctx context.Context) (state, error) {
	s := state{Reservations: map[string]string{}, Versions: map[string]string{}}
	for page, err := range w.at.ReservationPages(ctx, 1000) {
		if err != nil {
			return s, err
		}
		for _, r := range page.Reservations() {
			b, err := json.Marshal(r)
			if err != nil {
				return s, err
			}
			s.Reservations[string(r.HWAddress)] = string(b)
		}
	}
	items, err := w.list(ctx, keaReservation)
	for _, i := range items {
		s.Versions[i.Namespace+"/"+i.Name] = i.ResourceVersion
	}
	return s, err
}

// writes are the lines of Kea's log, from an offset on, that tell of commands that
// change what it holds.
func (w *world) writes(from int) []string {
	return regexp.MustCompile(`(?m)^.*COMMAND_RECEIVED.*'(reservation-(add|update)|config-write)'.*$`).FindAllString(w.kea.Log()[from:], -1)
}

// unchanged fails if Kea or a KeaReservation was written to.
func (w *world) unchanged(t *testing.T, before state, from int) {
	t.Helper()
	if diff := cmp.Diff(before, w.state(t)); diff != "" {
		t.Errorf("-before, +after:\n%s", diff)
	}
	if writes := w.writes(from); len(writes) > 0 {
		t.Errorf("Kea was told to change something:\n%s", strings.Join(writes, "\n"))
	}
}

// coldStart has a new pod take over, and measures it.
func coldStart(t *testing.T, w *world) {
	before, from, old := w.state(t), len(w.kea.Log()), w.thePod(t)
	kubectl(t, "-n", crossplaneNamespace, "delete", "pod", old.Name)
	testenv.Eventually(t, within, "the new pod to look at a KeaReservation", func(context.Context) error {
		if w.reconciles(t) == 0 {
			return errors.New("it has not yet")
		}
		return nil
	})
	metrics := w.metrics(t)
	started := time.UnixMilli(int64(metrics["process_start_time_seconds"] * 1000))
	t.Logf("first reconcile at most %.1f s after the process has started; RSS idle %.1f MB",
		time.Since(started).Seconds(), metrics["process_resident_memory_bytes"]/1e6)
	w.awaitSuccessor(t, old.UID)
	w.unchanged(t, before, from)
}

// upgrade has a second build take over.
func upgrade(t *testing.T, w *world) {
	w.fleet(t)
	before, from, old := w.state(t), len(w.kea.Log()), w.thePod(t)
	if len(w.writes(0)) == 0 {
		t.Fatal("Kea's log does not show the writes that there were: the test would see none")
	}
	apply(t, w.push(t, secondBuild))
	w.awaitSuccessor(t, old.UID)
	w.unchanged(t, before, from)
}

// awaitSuccessor waits until another pod of the provider has looked at every
// KeaReservation.
func (w *world) awaitSuccessor(t *testing.T, old types.UID) {
	t.Helper()
	testenv.Eventually(t, 2*within, "another pod", func(context.Context) error {
		if w.thePod(t).UID == old {
			return errors.New("it is still the old one")
		}
		return nil
	})
	w.awaitHealthy(t)
	all := len(w.state(t).Versions)
	testenv.Eventually(t, within, "the new pod to look at every KeaReservation", func(context.Context) error {
		if n := w.reconciles(t); n < all {
			return fmt.Errorf("it has looked %d times, and there are %d", n, all)
		}
		return nil
	})
}

// reconciles is how often the provider's pod has looked at KeaReservations.
func (w *world) reconciles(t *testing.T) int {
	t.Helper()
	n := 0.0
	for name, value := range w.metrics(t) {
		if strings.HasPrefix(name, "controller_runtime_reconcile_total") && strings.Contains(name, "keareservation") {
			n += value
		}
	}
	return int(n)
}
