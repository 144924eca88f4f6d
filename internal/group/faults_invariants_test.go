// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

const (
	// window is for how long after a story faults still begin: a snapshot, and what follows it.
	window = 35 * time.Second
	// recovery is the time after that in which everything must have become as it was wanted.
	recovery = outageTime + 90*time.Second
	// rest is the time after that in which nothing may be written: a snapshot, and what follows it.
	rest = 35 * time.Second
	// beat is between two attempts of the controller.
	beat = 5 * time.Second
	// commandsMore is how many more commands a fault may cost a server than it gets without one in the
	// same time.
	commandsMore = 400
)

// result is what is there after a story.
type result struct {
	// kea is what each store of each server has, a reservation a line, and resources is how each
	// resource stands.
	kea, resources []string
	// ours is what each server has beside the reservations of others.
	ours [][]string
	// wrong is what must not be, whatever the story.
	wrong []string
	// met reports whether the fault has met its command.
	met bool
	// counts are the commands in the time in which faults begin, total those of each server, and took is
	// the time of all that.
	counts map[place]int
	total  map[int]int
	took   time.Duration
	// sent are all commands, for people.
	sent []string
}

// play has a story happen on a setup, with a fault at a place, until everything is as it is wanted and
// nothing more happens. Without a fault it returns what is wanted.
func (s story) play(w *world, on setup, f *fault, at place, want *result) (out result) {
	w.fail = func(format string, args ...any) { out.wrong = append(out.wrong, fmt.Sprintf(format, args...)) }
	defer w.stop()
	in := newInjection(f, at)
	w.injection = in
	theirs := s.begin(w, on)
	for _, k := range w.keas {
		k.ResetLog()
	}
	in.count(true)
	began := time.Now()
	w.take(on, s.act)
	w.pass(window)
	in.count(false)
	for end := time.Now().Add(recovery); f != nil && time.Now().Before(end) && (!in.over() || !w.is(want)); {
		w.tick(beat)
	}
	for _, k := range w.keas {
		out.sent = append(out.sent, "-- "+k.ClientConfig().URL)
		out.sent = append(out.sent, k.Log()...)
		k.ResetLog()
	}
	w.pass(rest)
	out.met, out.counts, out.total, out.took = in.met, in.counts, in.total, time.Since(began)
	out.wrong = append(append(out.wrong, in.stray...), w.writesAtRest()...)
	out.kea, out.resources, out.ours = w.holdings(), w.stands(), w.ours(on, theirs)
	for _, line := range theirs {
		if !slices.Contains(out.kea, line) {
			out.wrong = append(out.wrong, "of others, and no longer as it was: "+line)
		}
	}
	return out
}

// ours returns what each server has beside the reservations of others; with the store, if that is
// another one than it writes to.
func (w *world) ours(on setup, theirs []string) [][]string {
	out := make([][]string, len(w.keas))
	for i := range w.keas {
		for _, h := range w.hostsOf(i) {
			if slices.Contains(theirs, h.full(i)) {
				continue
			}
			line := hostLine(h.host)
			if h.store != on.store {
				line = string(h.store) + " " + line
			}
			out[i] = append(out[i], line)
		}
		slices.Sort(out[i])
	}
	return out
}

// pass lets time pass, in which the controller tries again what has failed.
func (w *world) pass(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		w.tick(beat)
	}
}

// is reports whether everything is as it is wanted.
func (w *world) is(want *result) bool {
	return slices.Equal(w.stands(), want.resources) && slices.Equal(w.holdings(), want.kea)
}

func (w *world) writesAtRest() []string {
	var out []string
	for _, k := range w.keas {
		for _, line := range k.Log() {
			if command, _, _ := strings.Cut(line, " "); isWrite(command) && !strings.Contains(line, probe) {
				out = append(out, "written though nothing happens: "+line)
			}
		}
	}
	return out
}

// holdings returns everything that is in Kea.
func (w *world) holdings() []string {
	var out []string
	for i := range w.keas {
		for _, h := range w.hostsOf(i) {
			out = append(out, h.full(i))
		}
	}
	slices.Sort(out)
	return out
}

// hostsOf returns what is in the stores of a server.
func (w *world) hostsOf(server int) []stored {
	var out []stored
	for _, store := range []kea.Target{kea.TargetMemory, kea.TargetDatabase} {
		if store == kea.TargetDatabase && w.options.Database == nil {
			continue
		}
		for _, h := range w.keas[server].Reservations(store) {
			out = append(out, stored{store, h})
		}
	}
	return out
}

// full returns all of a reservation on a server.
func (s stored) full(server int) string {
	type plain kea.Reservation
	raw, err := json.Marshal(plain(s.host))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s@kea%d %s", s.store, server+1, raw)
}

// stands returns how the resources stand.
func (w *world) stands() []string {
	var out []string
	for _, name := range w.names() {
		out = append(out, name+" "+w.resources[name].state)
	}
	return out
}

// check returns what is wrong with a run without a fault: each server must have what the story says, in
// the store that it writes to, and the resources must stand as it says.
func (s story) check(got result, on setup) []string {
	out := got.wrong
	for server := range on.servers() {
		if diff := cmp.Diff(s.hosts, got.ours[server]); diff != "" {
			out = append(out, fmt.Sprintf("kea%d, -want +got:\n%s", server+1, diff))
		}
	}
	if diff := cmp.Diff(s.resources, got.resources); diff != "" {
		out = append(out, "resources, -want +got:\n"+diff)
	}
	return out
}

// judge returns what is wrong with a run that a fault met, compared with the one without a fault.
func (got result) judge(want result) []string {
	out := got.wrong
	if diff := cmp.Diff(want.kea, got.kea); diff != "" {
		out = append(out, "Kea, -without the fault +with it:\n"+diff)
	}
	if diff := cmp.Diff(want.resources, got.resources); diff != "" {
		out = append(out, "resources, -without the fault +with it:\n"+diff)
	}
	for server, n := range got.total {
		if most := int(float64(want.total[server])*float64(got.took)/float64(want.took)) + commandsMore; n > most {
			out = append(out, fmt.Sprintf("kea%d was sent %d commands, want %d at most", server, n, most))
		}
	}
	return out
}
