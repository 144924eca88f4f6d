// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"cmp"
	"flag"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var everyFault = flag.Bool("every-fault", false, "have each fault meet each command, not one in thinning of these cells")

// thinning is how many cells there are for one that is run as a rule. It has no divisor in common with
// the number of faults, so that each of these, and each command, has its turn.
const thinning = 97

// TestFaults has every fault meet every command of a few stories: what a resource needs is done with
// faults_kinds_test.go between the provider and Kea, on the setups and in the stories of
// faults_stories_test.go. When the fault is over, everything must be as faults_invariants_test.go wants
// it. The table in docs/faults.md lists the cells. As a rule one in some of them is run; to run all of
// them (ten minutes of CPU time), one story, or to write the table:
//
//	go test ./internal/group -run TestFaults -every-fault
//	go test ./internal/group -run TestFaults/MoveAddress -every-fault
//	go test ./internal/group -run TestFaults -update
func TestFaults(t *testing.T) {
	var mu sync.Mutex // guards commands
	commands := map[string][]string{}
	var ran, all atomic.Int64
	t.Run("Stories", func(t *testing.T) {
		for i, s := range stories {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				walk := walk{story: s, turn: i}
				for _, on := range setups {
					if s.on == nil || s.on(on) {
						walk.through(t, on)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				commands[s.name] = slices.Sorted(maps.Keys(walk.commands))
				ran.Add(int64(walk.ran))
				all.Add(int64(walk.turn))
			})
		}
	})
	t.Logf("%d of %d cells were run", ran.Load(), all.Load())
	if len(commands) == len(stories) {
		checkTable(t, commands)
	}
}

// walk goes through the cells of a story.
type walk struct {
	story story
	// turn counts cells, ran those that were run, and missed those in which the fault met no command.
	turn, ran, missed int
	// commands are those that faults meet.
	commands map[string]bool
}

func (w *walk) through(t *testing.T, on setup) {
	t.Helper()
	var want result
	synctest.Test(t, func(t *testing.T) { want = w.story.play(newWorld(t), on, nil, place{}, nil) })
	for _, wrong := range w.story.check(want, on) {
		t.Errorf("%s, without a fault: %s\n%s", on.name, wrong, strings.Join(want.sent, "\n"))
	}
	for _, at := range w.places(want) {
		for _, f := range faults {
			if f.database && on.store != "database" {
				continue
			}
			w.turn++
			if !*everyFault && w.turn%thinning != 0 {
				continue
			}
			w.cell(t, on, &f, at, want)
		}
	}
	if w.missed*20 > w.ran {
		t.Errorf("%s: of %d cells, %d met no command", on.name, w.ran, w.missed)
	}
}

// cell has one fault meet one command.
func (w *walk) cell(t *testing.T, on setup, f *fault, at place, want result) {
	t.Helper()
	w.ran++
	var got result
	synctest.Test(t, func(t *testing.T) { got = w.story.play(newWorld(t), on, f, at, &want) })
	if !got.met {
		w.missed++ // Two servers, and the loop of each, do not send everything in the same order each time.
	}
	for _, wrong := range got.judge(want) {
		t.Errorf("%s: %s at %s %d of kea%d: %s\n%s", on.name, f.name, at.command, at.nth, at.server, wrong, strings.Join(got.sent, "\n"))
	}
}

const (
	// mostOfAKind is how many commands of a name faults meet, on each server.
	mostOfAKind = 6
	// mostOfRoutine is the same for those that read a server all the time.
	mostOfRoutine = 1
)

// places returns the commands that faults meet.
func (w *walk) places(want result) []place {
	var out []place
	for at, n := range want.counts {
		most := mostOfAKind
		if slices.Contains(routine, at.command) {
			most = mostOfRoutine
			if !w.story.reads {
				continue
			}
		}
		if w.commands == nil {
			w.commands = map[string]bool{}
		}
		w.commands[at.command] = true
		for nth := range min(n, most) {
			out = append(out, place{at.server, at.command, nth + 1})
		}
	}
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(a.server-b.server, strings.Compare(a.command, b.command), a.nth-b.nth)
	})
	return out
}
