// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"time"
)

// starts counts the starts of all servers.
var starts atomic.Int64

// newInstance returns the time of a start as Kea writes it. The microseconds are those of no other
// start, also where the time stands still.
func newInstance(now time.Time) string {
	start := now.UTC().Truncate(time.Second).Add(time.Duration(starts.Add(1)) * time.Microsecond)
	return start.Format("2006-01-02 15:04:05.000000")
}

// messages are the statistics that Kea sets to 0 when it starts, and not when it reads its
// configuration again. Here nothing counts.
var messages = []string{
	"pkt4-ack-received", "pkt4-ack-sent", "pkt4-decline-received", "pkt4-discover-received", "pkt4-inform-received", "pkt4-nak-received",
	"pkt4-nak-sent", "pkt4-offer-received", "pkt4-offer-sent", "pkt4-received", "pkt4-release-received", "pkt4-request-received", "pkt4-sent",
}

// statisticGet answers for a statistic that is not there with result 0 and an empty map, as Kea
// does.
func (s *Server) statisticGet(raw json.RawMessage) answer {
	var args struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(raw, &args); err != nil || args.Name == "" {
		return failure("missing mandatory 'name' parameter.")
	}
	out := object{}
	if slices.Contains(messages, args.Name) {
		out[args.Name] = []any{[]any{0, s.instance}}
	}
	return success("", out)
}
