// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// sent counts the commands of a kind that the provider has sent to the site's
// servers, as its metrics tell.
func (s *site) sent(command string) int {
	s.t.Helper()
	n, err := s.count(s.t.Context(), command)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *site) count(ctx context.Context, commands ...string) (int, error) {
	return s.countWhere(ctx, func(command string) bool { return slices.Contains(commands, command) })
}

// countWhere counts the commands that a function picks.
func (s *site) countWhere(ctx context.Context, pick func(command string) bool) (int, error) {
	counts, err := s.provider.commands(ctx)
	sum := 0
	for c, n := range counts {
		if c.config == s.namespace && pick(c.command) {
			sum += n
		}
	}
	return sum, err
}

// writes counts what the provider has sent to make and change reservations.
func (s *site) writes() int {
	s.t.Helper()
	return s.sent("reservation-add") + s.sent("reservation-update")
}

// looks are the commands of heartbeats, snapshots and probes, which change
// nothing: reservation-del, of a host that cannot be, asks whether the
// hosts-database is there.
var looks = []string{
	"status-get", "subnet4-list", "subnet4-get", "reservation-get-page", "lease4-get-page", "lease4-get-by-hw-address",
	"list-commands", "version-get", "config-get", "statistic-get", "reservation-del",
}

// work counts the commands that are none of these.
func (s *site) work() int {
	s.t.Helper()
	n, err := s.countWhere(s.t.Context(), func(command string) bool { return !slices.Contains(looks, command) })
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// awaitSnapshots waits until the provider has taken this many more snapshots.
func (s *site) awaitSnapshots(n int) { s.t.Helper(); s.awaitSent("subnet4-list", n) }

// awaitSent waits until the provider has sent a command this many times more.
func (s *site) awaitSent(command string, n int) {
	s.t.Helper()
	want := s.sent(command) + n
	testenv.Eventually(s.t, within, fmt.Sprintf("%d more %s", n, command), func(ctx context.Context) error {
		got, err := s.count(ctx, command)
		if err == nil && got < want {
			err = fmt.Errorf("there are %d less", want-got)
		}
		return err
	})
}

// awaitReconciles waits until a KeaReservation has been looked at this many
// times more.
func (s *site) awaitReconciles(name string, n int) {
	s.t.Helper()
	want := s.reconciles(name) + n
	testenv.Eventually(s.t, within, fmt.Sprintf("%d more reconciles", n), func(context.Context) error {
		if got := s.reconciles(name); got < want {
			return fmt.Errorf("there are %d less", want-got)
		}
		return nil
	})
}

// stillness is what does not change while nothing happens.
type stillness struct {
	version              string
	reconciles, commands int
}

func (s *site) stillness(r *v1alpha1.KeaReservation) stillness {
	s.t.Helper()
	if err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
		s.t.Fatal(err)
	}
	return stillness{r.ResourceVersion, s.reconciles(r.Name), s.work()}
}

// checkQuiet makes sure that nothing is done for KeaReservations, once they are
// as they are to be, while Kea is looked at several times.
func (s *site) checkQuiet(rs ...*v1alpha1.KeaReservation) {
	s.t.Helper()
	s.awaitFollowUps(rs...)
	for _, r := range rs {
		if s.reconciles(r.Name) == 0 {
			s.t.Fatal("the log does not tell of reconciles: this test would see nothing")
		}
	}
	state := func() (out []stillness) {
		s.t.Helper()
		for _, r := range rs {
			out = append(out, s.stillness(r))
		}
		return out
	}
	// What has just been done may wake the resource once more.
	before := state()
	for range 5 {
		last := before
		s.awaitSnapshots(3)
		if before = state(); fmt.Sprint(before) == fmt.Sprint(last) {
			break
		}
	}
	s.awaitSnapshots(4)
	if after := state(); fmt.Sprint(before) != fmt.Sprint(after) {
		s.t.Errorf("with nothing happening, {resourceVersion reconciles commands} went from %v to %v", before, after)
	}
}

// warnings lists the warning events of a resource.
func (s *site) warnings(name string) []string {
	s.t.Helper()
	l := &corev1.EventList{}
	if err := s.client.List(s.t.Context(), l, client.InNamespace(s.namespace)); err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, e := range l.Items {
		if e.Type == corev1.EventTypeWarning && e.InvolvedObject.Name == name {
			out = append(out, e.Reason+": "+e.Message)
		}
	}
	return out
}
