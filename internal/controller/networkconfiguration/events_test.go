// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"slices"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/internal/kea"
)

type recorder struct {
	event.NopRecorder

	reasons []string
}

func (r *recorder) Event(_ runtime.Object, e event.Event) {
	r.reasons = append(r.reasons, string(e.Reason))
}

func TestOnceRecorder(t *testing.T) {
	a := event.Warning("A", errors.New("a"))
	b := event.Warning("B", errors.New("b"))
	r := &recorder{}
	once := newOnceRecorder(r)
	vm := nc("vm", nil)

	steps := []struct {
		reason string
		events []event.Event
		want   []string
	}{
		{"A new event is recorded", []event.Event{a, b}, []string{"A", "B"}},
		{"One that was recorded is not recorded again", []event.Event{a, b}, nil},
		{"The end of a state makes no event", []event.Event{a}, nil},
		{"A state that comes back is recorded again", []event.Event{a, b}, []string{"B"}},
	}
	for _, s := range steps {
		r.reasons = nil
		once.record(vm, s.events)
		slices.Sort(r.reasons)
		if diff := cmp.Diff(s.want, r.reasons); diff != "" {
			t.Errorf("\n%s\nannounce(...): -want, +got:\n%s", s.reason, diff)
		}
	}
	once.forget(types.NamespacedName{Namespace: vm.Namespace, Name: vm.Name})
	if len(once.recorded) > 0 {
		t.Error("forget(...): the events of a NetworkConfiguration that is gone are still there")
	}
}

func TestEventsOf(t *testing.T) {
	s := &situation{nc: nc("vm", []string{mac1, mac2, "nonsense"})}
	p := plan{
		claim: claim{ours: true, guess: "guess", wrong: "wrong"},
		blocked: map[kea.HWAddress]blocker{
			mac1: {kind: blockedByDuplicate, message: "duplicate"},
			mac2: {kind: blockedByForeign, message: "foreign"},
		},
		stuck: map[kea.HWAddress]string{mac1: "stuck", mac2: "stuck"},
	}
	events := eventsOf(s, p, "held", errors.New("cannot"))
	got := make([]string, len(events))
	for i, e := range events {
		got[i] = string(e.Reason)
	}
	want := []string{
		"SeveralNetworkNamespaces", "Misconfigured", "InvalidHardwareAddress", "DuplicateHardwareAddress",
		"ForeignKeaReservation", "CannotMove", "RemovalsHeld", "CannotChangeKeaReservations",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("eventsOf(...): -want, +got:\n%s", diff)
	}
}
