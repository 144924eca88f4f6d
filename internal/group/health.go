// SPDX-License-Identifier: Apache-2.0

package group

import (
	"time"
)

// Health is whether a server serves. The zero value is that of a server that has not answered yet.
type Health string

// States of a server. doc.go has the picture of what leads from one to another.
const (
	// Up means that the server is known and answers.
	Up Health = "Up"
	// Suspect means that a command was not answered: no more are sent until a heartbeat decides. What
	// is known of the server still holds.
	Suspect Health = "Suspect"
	// Down means that the server does not answer, or cannot be used as it is.
	Down Health = "Down"
	// Returning means that the server answers again, and is being read.
	Returning Health = "Returning"
)

// flapsAllowed is how often in a row a server may have served for less than a snapshot interval.
// After that it has to answer for a whole interval before it serves again, so that one that comes and
// goes costs little.
const flapsAllowed = 1

// health is the state machine of one server.
type health struct {
	state Health
	// since is when the server began to serve, or ceased to.
	since time.Time
	// changed means that it has begun to serve or ceased to since the group was opened.
	changed bool
	// flaps counts how often in a row it served for less than an interval.
	flaps int
	// returned is when it was first heard of after it had ceased to serve.
	returned time.Time
}

// serves reports whether what is known of the server is true of it now.
func (h *health) serves() bool { return h.state == Up || h.state == Suspect }

// commandFailed records that a command was not answered, and reports whether that is news.
func (h *health) commandFailed() bool {
	if h.state != Up {
		return false
	}
	h.state = Suspect
	return true
}

// commandAnswered records that a command was answered.
func (h *health) commandAnswered() {
	if h.state == Suspect {
		h.state = Up
	}
}

// answered records that a heartbeat was answered.
func (h *health) answered(now time.Time) {
	switch h.state {
	case Suspect:
		h.state = Up
	case Down:
		h.state, h.returned = Returning, now
	case Up, Returning:
	}
}

// unsteady reports whether the server answers again, but has come and gone too often to be used at
// once.
func (h *health) unsteady(now time.Time, interval time.Duration) bool {
	return h.state == Returning && h.flaps > flapsAllowed && now.Sub(h.returned) < interval
}

// failed records that heartbeats are not answered, or that the server cannot be used as it is.
func (h *health) failed(now time.Time, interval time.Duration) {
	switch {
	case h.serves():
		h.flaps++
		if now.Sub(h.since) >= interval {
			h.flaps = 0
		}
		h.since, h.changed = now, true
	case h.state == "":
		h.since = now
	}
	h.state = Down
}

// read records that all that the server holds has been read.
func (h *health) read(now time.Time) {
	if !h.serves() {
		h.since, h.changed = now, h.changed || h.state != ""
	}
	h.state = Up
}
