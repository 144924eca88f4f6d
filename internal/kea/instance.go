// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"net/http"
)

// instanceStatistic is set to 0 when kea-dhcp4 starts, as all statistics of messages are
// (dhcp4_srv.cc, the constructor of Dhcpv4Srv), and counts DHCPNAKs that arrive, which no client
// sends. So of all statistics it is the one that hardly ever changes.
const instanceStatistic = "pkt4-nak-received"

// Instance returns what tells the running kea-dhcp4 process apart from others: the time when it set
// up its statistics, in microseconds, as Kea writes it (statistic-get). Status does not tell
// servers apart: the pid is 1 in every container, and times are in whole seconds.
//
// It is the same for one process, also after config-reload, config-set, changes of reservations and
// leases, and DHCP traffic, and differs between two processes and after a restart. An operator who
// resets the statistic (statistic-reset-all) makes it look like a restart. Compare it only for
// equality.
//
// "" without an error means that the server cannot say: it refuses or does not know the command,
// the account may not run it, or the statistic was removed (statistic-remove).
func (c *Client) Instance(ctx context.Context) (string, error) {
	var statistics map[string][]sample
	arguments := map[string]string{memberName: instanceStatistic}
	err := c.run(ctx, request{Command: "statistic-get", Arguments: arguments}, &statistics)
	_, limit := errors.AsType[*LimitError](err)
	if cannotSay(err) || limit {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	samples := statistics[instanceStatistic]
	if len(samples) == 0 {
		return "", nil
	}
	// The newest is first, and 20 are kept, so that the one of the start outlasts stray messages.
	return samples[len(samples)-1].time()
}

// cannotSay reports whether an error is an answer of a server that does not give the information.
func cannotSay(err error) bool {
	var (
		unsupported  *UnsupportedError
		rejected     *RejectedError
		unauthorized *UnauthorizedError
	)
	switch {
	case errors.As(err, &unsupported), errors.As(err, &rejected), errors.Is(err, ErrNotFound):
		return true
	case errors.As(err, &unauthorized):
		return unauthorized.Status == http.StatusForbidden
	}
	return false
}

// sample is a value of a statistic and the time when it got it (ARM, "statistic-get").
type sample []any

// time returns the time of a sample, as Kea writes it.
func (s sample) time() (string, error) {
	if len(s) > 1 {
		if t, ok := s[1].(string); ok && t != "" && len(t) <= maxName {
			return t, nil
		}
	}
	return "", shapeError("statistic-get", errors.New("a sample is no pair of a value and a time"))
}
