// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"k8s.io/apimachinery/pkg/runtime"
)

// reasonCreated is the reason of crossplane-runtime's event about a create.
const reasonCreated event.Reason = "CreatedExternalResource"

// quietRecorder records no event about a create that went well: the status says so, and an event for
// each machine would be a write for each.
type quietRecorder struct{ event.Recorder }

// Event implements event.Recorder.
func (r quietRecorder) Event(o runtime.Object, e event.Event) {
	if e.Type == event.TypeNormal && e.Reason == reasonCreated {
		return
	}
	r.Recorder.Event(o, e)
}

// WithAnnotations implements event.Recorder.
func (r quietRecorder) WithAnnotations(keysAndValues ...string) event.Recorder {
	return quietRecorder{r.Recorder.WithAnnotations(keysAndValues...)}
}
