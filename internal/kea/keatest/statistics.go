// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// times counts the times of all servers' statistics.
var times atomic.Int64

// newTime returns the time of a sample as Kea writes it. The microseconds are those of no other one,
// also where the time stands still.
func newTime(now time.Time) string {
	t := now.UTC().Truncate(time.Second).Add(time.Duration(times.Add(1)) * time.Microsecond)
	return t.Format("2006-01-02 15:04:05.000000")
}

// messages are the statistics that Kea sets to 0 when it starts, and not when it reads its
// configuration again. Here they do not count.
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
	var id uint32
	if _, err := fmt.Sscanf(args.Name, "subnet[%d].assigned-addresses", &id); err == nil && s.subnetByID(id) != nil {
		out[args.Name] = []any{[]any{len(s.leasesWhere(func(l lease) bool { return l.SubnetID == id })), cmp.Or(s.assigned[id], s.instance)}}
	}
	return success("", out)
}

// leasesChanged records that the number of leases of a subnet has changed, at a time of its own.
func (s *Server) leasesChanged(subnet uint32) {
	s.assigned[subnet] = newTime(s.options.Now())
}
