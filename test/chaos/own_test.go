// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPlan: a seed decides a history, which can be written and read, and in which all that fate
// begins ends, too.
func TestPlan(t *testing.T) {
	planned := func(seed uint64) history { return plan(rand.New(rand.NewPCG(seed, 0)), round(0)) }
	h := planned(1)
	if diff := cmp.Diff(h.String(), planned(1).String()); diff != "" {
		t.Errorf("the same seed, another history: -first, +second:\n%s", diff)
	}
	if h.String() == planned(2).String() {
		t.Error("two seeds have the same history")
	}
	file := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(file, []byte("# a comment\n\n"+h.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := readHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h.String(), read.String()); diff != "" {
		t.Errorf("-written, +read:\n%s", diff)
	}
	lasting := map[string]int{}
	for _, s := range h.faults() {
		switch s.verb {
		case "kill", "freeze", "cut", "sever":
			lasting[s.args[0]]++
		default:
			lasting[s.args[0]]--
		}
		if n := lasting[s.args[0]]; n < 0 || n > 1 {
			t.Errorf("%s: %d faults of %s last", s, n, s.args[0])
		}
	}
	for on, n := range lasting {
		if n != 0 {
			t.Errorf("%d faults of %s do not end", n, on)
		}
	}
}

// TestSharesDevices: a part of a history in which a device is not given up is found.
func TestSharesDevices(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		lines  []string
		want   bool
	}{
		"GivenUp": {"A device may go to another machine.", []string{"0 machine a/x 1,2", "1 devices a/x 1", "2 machine a/y 2", "3 delete a/x", "4 machine a/z 1"}, false},
		"Kept":    {"But not while a machine has it.", []string{"0 machine a/x 1,2", "2 machine a/y 2"}, true},
		"Again":   {"It has it until that is deleted.", []string{"0 machine a/x 1", "1 devices a/x 1,2", "2 machine a/y 2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var h history
			for _, line := range tc.lines {
				s, err := parseStep(line)
				if err != nil {
					t.Fatal(err)
				}
				h = append(h, s)
			}
			if got := h.sharesDevices(); got != tc.want {
				t.Errorf("%s\nsharesDevices(): %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestParseStep: a line that cannot be read is an error and no step.
func TestParseStep(t *testing.T) {
	for name, tc := range map[string]struct{ reason, line string }{
		"NoTime":  {"A step has a time.", "kill kea1"},
		"NoVerb":  {"And it does something.", "1.00"},
		"Unknown": {"That is one of the verbs.", "1.00 explode kea1"},
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := parseStep(tc.line); err == nil {
				t.Errorf("%s\nparseStep(%q): %s, want an error", tc.reason, tc.line, s)
			}
		})
	}
}

// TestShortest: what does not matter for a failure is dropped.
func TestShortest(t *testing.T) {
	var all history
	for i := range 100 {
		all = append(all, step{at: time.Duration(i) * time.Second, verb: "kill"})
	}
	for name, tc := range map[string]struct {
		reason string
		needed []int
	}{
		"One":   {"One step is enough.", []int{63}},
		"Two":   {"Two that are far from each other are needed.", []int{3, 90}},
		"Three": {"Three are.", []int{10, 11, 77}},
		"None":  {"It fails whatever happens.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := shortest(all, time.Now().Add(time.Hour), func(h history) bool {
				return !slices.ContainsFunc(tc.needed, func(i int) bool {
					return !slices.ContainsFunc(h, func(s step) bool { return s.at == all[i].at })
				})
			})
			var want history
			for _, i := range tc.needed {
				want = append(want, all[i])
			}
			if tc.needed == nil {
				want = got[:min(1, len(got))] // One step is the shortest there is.
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("%s\nshortest(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if got := shortest(all, time.Now(), func(history) bool { return true }); len(got) != len(all) {
		t.Errorf("after the deadline it tries to drop some of %d steps: %d are left", len(all), len(got))
	}
}
