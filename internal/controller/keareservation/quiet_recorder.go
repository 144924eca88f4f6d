// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/runtime"
)

// Reasons of crossplane-runtime's events about a create and an update.
const (
	reasonCreated event.Reason = "CreatedExternalResource"
	reasonUpdated event.Reason = "UpdatedExternalResource"
)

// updatesAtOnce is how many updates get an event at once, and updatePeriod how often there is
// another one then.
const (
	updatesAtOnce = 20
	updatePeriod  = 10 * time.Second
)

// quietRecorder records no event about a create that went well: the status says so, and an event for
// each machine would be a write for each. Of updates that went well it records the first only of many:
// one that changes back what was changed in Kea is for a person to know, and not each of those that
// put a fleet back into a Kea that has lost it.
type quietRecorder struct {
	event.Recorder

	updates *rate.Limiter
}

func newQuietRecorder(r event.Recorder) quietRecorder {
	return quietRecorder{r, rate.NewLimiter(rate.Every(updatePeriod), updatesAtOnce)}
}

// Event implements event.Recorder.
func (r quietRecorder) Event(o runtime.Object, e event.Event) {
	if e.Type == event.TypeNormal && (e.Reason == reasonCreated || e.Reason == reasonUpdated && !r.updates.Allow()) {
		return
	}
	r.Recorder.Event(o, e)
}

// WithAnnotations implements event.Recorder.
func (r quietRecorder) WithAnnotations(keysAndValues ...string) event.Recorder {
	return quietRecorder{r.Recorder.WithAnnotations(keysAndValues...), r.updates}
}
