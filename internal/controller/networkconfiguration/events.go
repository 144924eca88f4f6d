// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Reasons of events.
const (
	reasonNetworkGuess  event.Reason = "SeveralNetworkNamespaces"
	reasonMisconfigured event.Reason = "Misconfigured"
	reasonInvalidMAC    event.Reason = "InvalidHardwareAddress"
	reasonDuplicate     event.Reason = "DuplicateHardwareAddress"
	reasonForeign       event.Reason = "ForeignKeaReservation"
	reasonCannotAct     event.Reason = "CannotChangeKeaReservations"
	reasonCannotMove    event.Reason = "CannotMove"
	reasonRemovalsHeld  event.Reason = conditionRemovalsHeld
)

// eventsOf returns the events about what a person has to know of the current state
// of a NetworkConfiguration. held says which removals are held, if any. There is none
// about what went well: that is in the status, and would be a write for each machine.
func eventsOf(s *situation, p plan, held string, failed error) []event.Event {
	var out []event.Event
	warn := func(reason event.Reason, message string) {
		out = append(out, event.Warning(reason, errors.New(message)))
	}
	if p.claim.guess != "" {
		warn(reasonNetworkGuess, p.claim.guess)
	}
	if p.claim.wrong != "" {
		warn(reasonMisconfigured, p.claim.wrong)
	}
	for _, d := range devicesOf(s.nc) {
		if d.err != nil {
			warn(reasonInvalidMAC, d.err.Error())
		}
	}
	for _, mac := range macsOf(s.nc) {
		warnBlocked(warn, p, mac)
	}
	for _, why := range stuckTexts(s, p) {
		warn(reasonCannotMove, why)
	}
	out = append(out, heldEvents(held)...)
	if failed != nil {
		warn(reasonCannotAct, failed.Error())
	}
	return out
}

func warnBlocked(warn func(event.Reason, string), p plan, mac kea.HWAddress) {
	h, ok := p.blocked[mac]
	switch {
	case ok && h.kind == blockedByDuplicate:
		warn(reasonDuplicate, h.message)
	case ok:
		warn(reasonForeign, h.message)
	}
}

// heldEvents returns the event about removals that are held, if any are.
func heldEvents(held string) []event.Event {
	if held == "" {
		return nil
	}
	return []event.Event{event.Warning(reasonRemovalsHeld, errors.New(held))}
}

// stuckTexts returns why devices cannot move, each text once: it is most often the
// same for all of them.
func stuckTexts(s *situation, p plan) []string {
	var out []string
	for _, mac := range macsOf(s.nc) {
		if why := p.stuck[mac]; why != "" && !slices.Contains(out, why) {
			out = append(out, why)
		}
	}
	return out
}

// A onceRecorder records each event of a NetworkConfiguration once, and again only
// after its cause was gone: an event is a write too, and a reconcile that changes
// nothing writes nothing. It may be used by several goroutines at once.
type onceRecorder struct {
	recorder event.Recorder

	mu sync.Mutex
	// recorded has the current events of each NetworkConfiguration. mu guards it.
	recorded map[types.NamespacedName]map[string]bool
}

func newOnceRecorder(r event.Recorder) *onceRecorder {
	return &onceRecorder{recorder: r, recorded: map[types.NamespacedName]map[string]bool{}}
}

// record records those of a NetworkConfiguration's current events that are new.
func (a *onceRecorder) record(nc *vitistack.NetworkConfiguration, events []event.Event) {
	now := map[string]event.Event{}
	for _, e := range events {
		now[string(e.Reason)+"\n"+e.Message] = e
	}
	for _, e := range a.fresh(types.NamespacedName{Namespace: nc.Namespace, Name: nc.Name}, now) {
		a.recorder.Event(nc, e)
	}
}

// fresh returns the events that are new, and remembers all of them.
func (a *onceRecorder) fresh(name types.NamespacedName, now map[string]event.Event) map[string]event.Event {
	a.mu.Lock()
	defer a.mu.Unlock()

	before := a.recorded[name]
	if len(now) == 0 { // as it is with most
		delete(a.recorded, name)
		return nil
	}
	a.recorded[name] = map[string]bool{}
	for key := range now {
		a.recorded[name][key] = true
	}
	maps.DeleteFunc(now, func(key string, _ event.Event) bool { return before[key] })
	return now
}

// forget drops what is remembered of a NetworkConfiguration that is gone.
func (a *onceRecorder) forget(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.recorded, name)
}
