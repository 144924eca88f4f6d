// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// resting is how long is watched what happens while nothing is to be done.
const resting = 2 * time.Minute

// leasesPerSecond is how fast machines that wait get their leases.
const leasesPerSecond = 20

// pinned makes n machines that have a lease, all at once. It compares that with what kea-operator did,
// if it was asked.
func (w *world) pinned(n int, l limits, o *operatorRun) []row {
	w.b.Helper()
	n-- // One is there as the template of the limits.
	defer w.profile("pinned")()
	before, start := w.cost(), time.Now()
	ready := w.awaitReady(w.make(n), n)
	took := slices.MaxFunc(ready, time.Time.Compare).Sub(start)
	spent := w.spentSince(before)
	rss, file, peak := memory(w.provider.pid())
	rate := float64(n) / took.Seconds()
	rows := []row{
		{what: "machines pinned and Ready, a second", got: fmt.Sprintf("%.1f (all in %.1f s)", rate, took.Seconds()), aim: "60 % of what four API writes allow",
			limit: fmt.Sprintf("%.0f %% of %.0f", 100*rate/l.fourWrites(), l.fourWrites())},
		{what: "API writes for a machine, beside creating it", got: each(spent.writes, n), aim: "4"},
		{what: "of these refused for a conflict", got: fmt.Sprintf("%.2f", spent.conflicts/float64(n)), aim: "0"},
		{what: "commands to Kea for a machine", got: each(spent.commands, n), aim: "2.2"},
		{what: "CPU seconds of the provider", got: fmt.Sprintf("%.1f (%.1f ms for a machine)", spent.cpu[providerProgram], 1000*spent.cpu[providerProgram]/float64(n)), aim: "less than kea-operator's 8.8 ms"},
		{what: "CPU seconds of the others", got: fmt.Sprintf("API server %.0f, etcd %.0f, Kea %.1f", spent.cpu[apiServerProgram], spent.cpu[etcdProgram], spent.cpu[keaProgram])},
		{what: "memory of the provider, MB resident", got: fmt.Sprintf("%.0f (%.0f of it the program), at most %.0f", rss, file, peak), aim: rssAim(n)},
		{what: "memory of the others, MB resident", got: w.otherMemory()},
	}
	if o != nil {
		rows = append(rows, o.against(rate)...)
	}
	return rows
}

func rssAim(n int) string {
	switch {
	case n < 5000:
		return "70"
	case n < 20_000:
		return "130"
	default:
		return "400"
	}
}

// rest watches the fleet while nothing happens.
func (w *world) rest() []row {
	w.b.Helper()
	w.quiet()
	w.awaitCounted()
	defer w.profile("rest")()
	before := w.cost()
	w.sleep(resting)
	now := w.cost()
	spent := now.since(before)
	hours := resting.Hours()
	rss, _, _ := memory(w.provider.pid())
	return []row{
		{what: "at rest: commands to Kea for a machine and hour", got: each(perHour(spent.commands, hours), w.made), aim: "0.3"},
		{what: "at rest: time that Kea takes for them", got: fmt.Sprintf("%.2f %% (CPU of Kea: %.2f %%)", 100*spent.waited/resting.Seconds(), 100*spent.cpu[keaProgram]/resting.Seconds()), aim: "2 %"},
		{what: "at rest: API writes", got: counted(spent.writes), aim: "0"},
		{what: "at rest: CPU of the provider, of one core", got: fmt.Sprintf("%.2f %%", 100*spent.cpu[providerProgram]/resting.Seconds()), aim: "1 %"},
		{what: "at rest: memory of the provider, MB resident", got: fmt.Sprintf("%.0f", rss), aim: rssAim(w.made)},
	}
}

// awaitCounted waits until the status of the provider configuration says how many reservations there
// are, which it does after the next snapshot.
func (w *world) awaitCounted() {
	w.b.Helper()
	w.await("the provider configuration to say how many reservations there are", seldom, func(ctx context.Context) error {
		config := &v1alpha1.ClusterProviderConfig{}
		if err := w.client.Get(ctx, client.ObjectKey{Name: configName}, config); err != nil {
			return err
		}
		for _, s := range config.Status.Servers {
			if s.Reservations == nil || *s.Reservations < int64(w.made) {
				return errBusy
			}
		}
		return nil
	})
}

func perHour(m map[string]float64, hours float64) map[string]float64 {
	out := map[string]float64{}
	for k, v := range m {
		out[k] = v / hours
	}
	return out
}

// waiting makes two lots of machines that have no lease yet. Those of the first lot get theirs one
// by one, those of the second all at once.
func (w *world) waiting(n int) []row {
	w.b.Helper()
	k := newKeaClient(w.kea.URL)
	defer k.http.CloseIdleConnections()
	first := w.makeWaiting(n)
	defer w.profile("waiting")()
	leased := make([]time.Time, n)
	tick := time.NewTicker(time.Second / leasesPerSecond)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		if err := k.lease(w.b.Context(), first+i); err != nil {
			w.b.Fatal(err)
		}
		leased[i] = time.Now()
	}
	took := make([]time.Duration, n)
	for i, at := range w.awaitReady(first, n) {
		took[i] = at.Sub(leased[i])
	}
	slices.Sort(took)
	w.quiet()

	before := w.cost()
	first = w.makeWaiting(n)
	made := w.cost()
	start := time.Now()
	w.parallel(n, workers, func(ctx context.Context, i int) error { return k.lease(ctx, first+i) })
	all := slices.MaxFunc(w.awaitReady(first, n), time.Time.Compare).Sub(start)
	now := w.quiet()
	return []row{
		{what: fmt.Sprintf("from lease to pinned and Ready, %d that wait, %d leases a second, p50 / p99", n, leasesPerSecond),
			got: fmt.Sprintf("%s / %s", seconds(percentile(took, 50)), seconds(percentile(took, 99))), aim: "1 s / 5 s"},
		{what: fmt.Sprintf("%d that wait, all leases at once", n), got: fmt.Sprintf("%s, %.1f a second", seconds(all), float64(n)/all.Seconds())},
		{what: "API writes for one of these until it waits", got: each(made.since(before).writes, n), aim: "3"},
		{what: "API writes for one of these from then on", got: each(now.since(made).writes, n), aim: "3"},
		{what: "commands to Kea for one of these from then on", got: each(now.since(made).commands, n)},
	}
}

func (w *world) makeWaiting(n int) int {
	w.b.Helper()
	first := w.make(n)
	w.awaitTold(first, n)
	w.quiet()
	return first
}

// percentile of durations in order.
func percentile(in []time.Duration, p int) time.Duration {
	return in[min(len(in)-1, len(in)*p/100)]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// repair changes things behind the provider's back.
func (w *world) repair(l limits) []row {
	w.b.Helper()
	defer w.profile("repair")()
	rows := append(w.newWhileWoken(), w.foreignDeletion())
	return append(rows, w.lostMemory(l)...)
}

// newWhileWoken makes one machine while every KeaReservation is reconciled, as each has to be when
// `access` of the provider configuration changes.
func (w *world) newWhileWoken() []row {
	w.b.Helper()
	k := newKeaClient(w.kea.URL)
	defer k.http.CloseIdleConnections()
	if err := k.lease(w.b.Context(), w.made); err != nil {
		w.b.Fatal(err)
	}
	config := &v1alpha1.ClusterProviderConfig{}
	if err := w.client.Get(w.b.Context(), client.ObjectKey{Name: configName}, config); err != nil {
		w.b.Fatal(err)
	}
	before := w.cost()
	config.Spec.Access = []v1alpha1.Access{{Subnets: []string{"10.0.0.0/8"}}}
	if err := w.client.Update(w.b.Context(), config); err != nil {
		w.b.Fatal(err)
	}
	w.await("KeaReservations to be woken", often, func(ctx context.Context) error {
		now := newCost()
		err := w.readProvider(ctx, &now)
		if err == nil && now.reconciles < before.reconciles+10 {
			err = errBusy
		}
		return err
	})
	start := time.Now()
	took := w.awaitReady(w.make(1), 1)[0].Sub(start)
	spent := w.spentSince(before)
	return []row{
		{what: "one new machine while all are woken", got: fmt.Sprintf("%s (%.0f reconciles in all)", seconds(took), spent.reconciles), aim: "2 s"},
		{what: "API writes for each that is woken", got: each(spent.writes, w.made), aim: "0"},
	}
}

// foreignDeletion removes a reservation from Kea.
func (w *world) foreignDeletion() row {
	w.b.Helper()
	k := newKeaClient(w.kea.URL)
	defer k.http.CloseIdleConnections()
	machine := w.made / 2
	if err := k.do(w.b.Context(), "reservation-del", host(machine)); err != nil {
		w.b.Fatal(err)
	}
	start := time.Now()
	w.await("the reservation to be back", often, func(ctx context.Context) error {
		there, err := k.has(ctx, machine)
		if err == nil && !there {
			err = errBusy
		}
		return err
	})
	return row{what: "one foreign deletion repaired", got: seconds(time.Since(start)), aim: "30 s (one interval)"}
}

// lostMemory kills Kea and starts it: its reservations are gone then, its leases are not.
func (w *world) lostMemory(l limits) []row {
	w.b.Helper()
	w.quiet()
	before := w.cost()
	w.kea.Restart(w.b)
	start := time.Now()
	k := newKeaClient(w.kea.URL)
	defer k.http.CloseIdleConnections()
	counter := &hostCounter{client: k}
	w.await("all reservations to be back", often, func(ctx context.Context) error {
		n, err := counter.read(ctx)
		if err == nil && n < w.made {
			err = fmt.Errorf("%d of %d are", n, w.made)
		}
		return err
	})
	took := time.Since(start)
	spent := w.spentSince(before)
	raw := float64(w.made) / l.add
	return []row{
		{what: fmt.Sprintf("all %d put back after Kea has lost its memory", w.made), got: seconds(took), aim: fmt.Sprintf("%.1f s (1.5 times what the commands take, and a heartbeat)", 1.5*raw+5),
			limit: fmt.Sprintf("%.1f s at %.0f reservation-add a second", raw, l.add)},
		{what: "commands to Kea for each of these", got: each(spent.commands, w.made)},
		{what: "API writes for each of these", got: each(spent.writes, w.made)},
	}
}

// startUp starts a provider that finds everything in place. Before that, it has perfdhcp look at a
// Kea that has nothing else to do, and after that at one whose provider is at rest.
func (w *world) startUp() []row {
	w.b.Helper()
	w.quiet()
	w.awaitCounted()
	w.stopProvider()
	alone := w.offers()
	before, start := w.cost(), time.Now()
	w.startProvider()
	stop := w.profile("start-up")
	w.await("reservations to be observed", sometimes, func(ctx context.Context) error {
		now := newCost()
		err := w.readProvider(ctx, &now)
		if err == nil && now.reconciles < float64(w.made) {
			err = errBusy
		}
		return err
	})
	// Some are looked at twice: before Kea has been read, and after that. All are when the last
	// reconcile has ended, which is known to a second.
	now := w.quiet()
	took := now.at.Sub(start)
	_, _, peak := memory(w.provider.pid())
	stop()
	spent := now.since(before)
	with := w.offers()
	return []row{
		{what: fmt.Sprintf("start-up with %d in place: all are observed after", w.made), got: seconds(took), aim: "60 s"},
		{what: "start-up: reservations written to Kea", got: counted(only(now.commands, "reservation-add", "reservation-update"))},
		{what: "start-up: API writes", got: counted(spent.writes), aim: "0"},
		{what: "start-up: commands to Kea", got: counted(now.commands)},
		{what: "start-up: CPU seconds of the provider", got: fmt.Sprintf("%.1f", now.cpu[providerProgram])},
		{what: "start-up: memory of the provider, MB resident at most", got: fmt.Sprintf("%.0f", peak), aim: rssAim(w.made)},
		{what: fmt.Sprintf("worst delay of an OFFER at rest, %d requests a second", offersPerSecond), got: with.text(), limit: "without the provider: " + alone.text(), aim: "60 ms more"},
	}
}

func only(m map[string]float64, names ...string) map[string]float64 {
	out := map[string]float64{}
	for _, n := range names {
		if m[n] > 0 {
			out[n] = m[n]
		}
	}
	return out
}
