// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A step is something that happens at a time of a round: a line of its history.
type step struct {
	at   time.Duration
	verb string
	args []string
}

func (s step) String() string {
	return strings.TrimSpace(fmt.Sprintf("%6.2f %s %s", s.at.Seconds(), s.verb, strings.Join(s.args, " ")))
}

// parseStep reads what String writes: a time in seconds, a verb and its arguments.
func parseStep(line string) (step, error) {
	f := strings.Fields(line)
	if len(f) < 2 {
		return step{}, fmt.Errorf("cannot read %q: write seconds, a verb and its arguments", line)
	}
	at, err := time.ParseDuration(f[0] + "s")
	if err != nil {
		return step{}, fmt.Errorf("cannot read %q: %w", line, err)
	}
	if _, known := verbs[f[1]]; !known {
		return step{}, fmt.Errorf("cannot read %q: there is no verb %s", line, f[1])
	}
	return step{at: at, verb: f[1], args: f[2:]}, nil
}

// A history is all that happens in a round, in the order of time.
type history []step

func (h history) String() string {
	var b strings.Builder
	for _, s := range h {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// readHistory reads a file with a step in each line, but for empty lines and comments with "#".
func readHistory(file string) (history, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the history: %w", err)
	}
	var out history
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		s, err := parseStep(line)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// faults returns the steps that are fate's.
func (h history) faults() history {
	return slices.DeleteFunc(slices.Clone(h), func(s step) bool { return !verbs[s.verb].fate })
}

// others returns all other steps.
func (h history) others() history {
	return slices.DeleteFunc(slices.Clone(h), func(s step) bool { return verbs[s.verb].fate })
}

// sharesDevices reports whether two machines have a device at the same time, as in a history
// without the step by which the first one gave it up.
func (h history) sharesDevices() bool {
	of := map[string]string{} // the machine of each device
	for _, s := range h {
		switch s.verb {
		case "machine", "devices", "delete":
			maps.DeleteFunc(of, func(_, machine string) bool { return machine == s.args[0] })
		}
		if s.verb != "machine" && s.verb != "devices" {
			continue
		}
		for device := range strings.SplitSeq(s.args[1], ",") {
			if of[device] != "" {
				return true
			}
			of[device] = s.args[0]
		}
	}
	return false
}

// count says how often each verb occurs.
func (h history) count(into map[string]int) {
	for _, s := range h {
		into[s.verb]++
	}
}

// shortest drops parts of a history for which fails returns true, as long as what is left still
// fails: halves first, then quarters and so on. It ends when nothing can be dropped, or at the
// deadline.
func shortest(h history, deadline time.Time, fails func(history) bool) history {
	for parts := 2; len(h) > 1; {
		shorter, dropped := h, false
		for _, part := range slices.Collect(slices.Chunk(indexes(len(h)), (len(h)+parts-1)/parts)) {
			if time.Now().After(deadline) {
				return h
			}
			if rest := without(h, part); fails(rest) {
				shorter, dropped = rest, true
				break
			}
		}
		switch {
		case dropped:
			h, parts = shorter, max(parts-1, 2)
		case parts >= len(h):
			return h
		default:
			parts = min(2*parts, len(h))
		}
	}
	return h
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// without returns the history without the steps of these indexes.
func without(h history, part []int) history {
	return slices.Concat(h[:part[0]], h[part[len(part)-1]+1:])
}
