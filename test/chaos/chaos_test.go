// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

var (
	timeFlag    = flag.Duration("time", 0, "how long rounds are begun, and how long a soak takes; one round at least")
	seedFlag    = flag.Uint64("seed", 1, "what decides the histories; 0 is one that the clock decides")
	historyFlag = flag.String("history", "", "file with the history of the only round")
	shrinkFlag  = flag.Duration("shrink", 0, "how long the shortest history that fails is looked for")
)

// roundLength is how long a round's history is.
const roundLength = 45 * time.Second

func TestMain(m *testing.M) {
	ctrl.SetLogger(klog.NewKlogr())
	os.Exit(m.Run())
}

// TestChaos plays rounds until the time is over.
func TestChaos(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	fmt.Printf("chaos: SEED=%d\n", seed)
	program := build(t, "-race")
	if *historyFlag != "" {
		h, err := readHistory(*historyFlag)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := newWorld(t, program).play(h); wrong != "" {
			t.Fatal(wrong)
		}
		return
	}
	w, began, counts := newWorld(t, program), time.Now(), map[string]int{}
	for n := uint64(0); n == 0 || time.Since(began) < *timeFlag; n++ {
		h := plan(rand.New(rand.NewPCG(seed, n)), round(int(n)))
		h.count(counts)
		start := time.Now()
		if wrong := w.play(h); wrong != "" {
			t.Errorf("SEED=%d, round %d:\n%s\n\nIts history:\n%s", seed, n, wrong, h)
			t.Fatal(retry(t, program, h))
		}
		fmt.Printf("chaos: round %d: %d steps, all right after %.0f s\n", n, len(h), time.Since(start).Seconds())
	}
	fmt.Printf("chaos: SEED=%d, %.0f s:%s\n", seed, time.Since(began).Seconds(), summary(counts))
}

func summary(counts map[string]int) string {
	var b strings.Builder
	for _, verb := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, " %s %d", verb, counts[verb])
	}
	return b.String()
}

// play plays a round: its history, a time in which nothing happens, and the deletion of everything.
// It returns what is wrong.
func (w *world) play(h history) string {
	if wrong := w.live(h); wrong != "" {
		return wrong
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(w.fleet.machines)), slices.Collect(maps.Keys(w.fleet.reservations))) {
		if err := w.deleteObject([]string{name}); err != nil {
			return err.Error()
		}
	}
	if wrong := w.await(); wrong != "" {
		return "after the deletion of everything: " + wrong
	}
	if err := w.clear(); err != nil {
		return err.Error()
	}
	return w.broken()
}

// live has a history happen, and waits until all is right. It returns what is wrong.
func (w *world) live(h history) string {
	if err := w.run(h); err != nil {
		return err.Error()
	}
	if err := w.try(w.settleLeases); err != nil {
		return err.Error()
	}
	return cmp.Or(w.await(), w.broken())
}

// broken returns what a replica has logged that it must not.
func (w *world) broken() string {
	for _, name := range replicas {
		if p, ok := w.targets[name].(*program); ok {
			if broken := p.broken(); broken != "" {
				return name + ": " + broken
			}
		}
	}
	return ""
}

// run does each step at its time, and then ends all faults. A step of a user, who may have to wait,
// can be later.
func (w *world) run(h history) error {
	began, users := time.Now(), make(chan error, 1)
	go func() { users <- w.steps(began, h.others()) }()
	err := w.steps(began, h.faults())
	return errors.Join(err, w.restore(), w.try(w.webhook.remove), <-users)
}

func (w *world) steps(began time.Time, h history) error {
	for _, s := range h {
		select {
		case <-w.t.Context().Done():
			return w.t.Context().Err()
		case <-time.After(s.at - time.Since(began)):
		}
		if err := w.do(s); err != nil {
			return err
		}
	}
	return nil
}

// restore ends all faults.
func (w *world) restore() error {
	for _, l := range w.links {
		l.mend()
	}
	// The databases first: Kea needs its own to start.
	for _, name := range []string{"postgres", "mysql", "apiserver", "kea1", "kea2", "kea3", "kea4", "webhook", "provider1", "provider2"} {
		if f, ok := w.targets[name].(freezer); ok {
			f.thaw()
		}
		if err := w.targets[name].start(); err != nil {
			return err
		}
	}
	return nil
}

// clear takes all leases away, and moves the namespaces back. Leases go one by one: those that
// lease4-wipe takes from memory come back from the file after a kill.
func (w *world) clear() error {
	err := w.try(func(ctx context.Context) error {
		for device := range w.fleet.leased {
			for _, s := range w.keas {
				if err := s.release(ctx, device); err != nil {
					return err
				}
			}
		}
		return nil
	})
	clear(w.fleet.leased)
	for namespace, config := range firstConfigs() {
		err = errors.Join(err, w.move([]string{namespace, config}))
	}
	return err
}

// retry looks for the shortest part of a history that fails on new servers.
func retry(t *testing.T, program string, h history) string {
	t.Helper()
	fails := func(h history) bool {
		if h.sharesDevices() {
			return false // That is a failure of another kind.
		}
		var wrong string
		t.Run("retry", func(t *testing.T) { wrong = newWorld(t, program).play(h) })
		return wrong != ""
	}
	if *shrinkFlag == 0 {
		return "make chaos looks for a shorter history."
	}
	deadline := time.Now().Add(*shrinkFlag)
	if !fails(h) {
		return "On new servers the same history did not fail."
	}
	return fmt.Sprintf("The shortest that failed on new servers:\n%s", shortest(h, deadline, fails))
}
