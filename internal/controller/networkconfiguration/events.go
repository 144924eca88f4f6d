// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"maps"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Reasons of events.
const (
	reasonConfigured    event.Reason = "Configured"
	reasonNetworkGuess  event.Reason = "SeveralNetworkNamespaces"
	reasonMisconfigured event.Reason = "Misconfigured"
	reasonInvalidMAC    event.Reason = "InvalidHardwareAddress"
	reasonDuplicate     event.Reason = "DuplicateHardwareAddress"
	reasonForeign       event.Reason = "ForeignKeaReservation"
	reasonCannotAct     event.Reason = "CannotChangeKeaReservations"
)

// eventsOf returns what the user of a NetworkConfiguration should hear of.
func eventsOf(s *situation, p plan, phase string, failed error) []event.Event {
	var out []event.Event
	warn := func(reason event.Reason, message string) {
		out = append(out, event.Warning(reason, errors.New(message)))
	}
	if p.standing.guess != "" {
		warn(reasonNetworkGuess, p.standing.guess)
	}
	if p.standing.wrong != "" {
		warn(reasonMisconfigured, p.standing.wrong)
	}
	for _, d := range devicesOf(s.nc) {
		if d.err != nil {
			warn(reasonInvalidMAC, d.err.Error())
		}
	}
	for _, mac := range macsOf(s.nc) {
		warnHeld(warn, p, mac)
	}
	if failed != nil {
		warn(reasonCannotAct, failed.Error())
	}
	if phase == vitistack.PhaseReady {
		out = append(out, event.Normal(reasonConfigured, "The addresses are reserved in Kea"))
	}
	return out
}

func warnHeld(warn func(event.Reason, string), p plan, mac kea.HWAddress) {
	h, ok := p.held[mac]
	switch {
	case ok && h.kind == hindranceDuplicate:
		warn(reasonDuplicate, h.message)
	case ok:
		warn(reasonForeign, h.message)
	}
}

// An announcer tells each NetworkConfiguration's events once, and again only
// after they had stopped being so: an event is a write too, and a pass that
// changes nothing writes nothing.
type announcer struct {
	recorder event.Recorder

	mu   sync.Mutex
	told map[types.NamespacedName]map[string]bool
}

func newAnnouncer(r event.Recorder) *announcer {
	return &announcer{recorder: r, told: map[types.NamespacedName]map[string]bool{}}
}

// announce tells what is new among everything that is to be told now.
func (a *announcer) announce(nc *vitistack.NetworkConfiguration, events []event.Event) {
	now := map[string]event.Event{}
	for _, e := range events {
		now[string(e.Reason)+"\n"+e.Message] = e
	}
	for _, e := range a.fresh(types.NamespacedName{Namespace: nc.Namespace, Name: nc.Name}, now) {
		a.recorder.Event(nc, e)
	}
}

func (a *announcer) fresh(name types.NamespacedName, now map[string]event.Event) map[string]event.Event {
	a.mu.Lock()
	defer a.mu.Unlock()

	before := a.told[name]
	a.told[name] = map[string]bool{}
	for key := range now {
		a.told[name][key] = true
	}
	maps.DeleteFunc(now, func(key string, _ event.Event) bool { return before[key] })
	return now
}

// forget a NetworkConfiguration that is gone.
func (a *announcer) forget(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.told, name)
}
