// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

const commandStatisticGet = "statistic-get"

// LeasesChanged returns when the number of leases of a subnet last changed, in microseconds, as Kea
// writes it: the time of the statistic subnet[id].assigned-addresses. Compare it only for equality.
// It changes with each lease that is new, added with lease4-add (as an HA partner's is), removed or
// expired, and not with one that is renewed. A server counts only what it has done itself: not what
// another one writes to the database of leases of both.
//
// "" without an error means that the server cannot say: it refuses or does not know the command,
// the account may not run it, or it has no such statistic.
func (c *Client) LeasesChanged(ctx context.Context, subnetID uint32) (string, error) {
	samples, err := c.statistic(ctx, fmt.Sprintf("subnet[%d].assigned-addresses", subnetID))
	if err != nil || len(samples) == 0 {
		return "", err
	}
	return samples[0].time()
}

// statistic returns the samples of a statistic, the newest first; none if the server cannot say.
// Kea keeps 20 of them.
func (c *Client) statistic(ctx context.Context, name string) ([]sample, error) {
	var statistics map[string][]sample
	err := c.run(ctx, request{Command: commandStatisticGet, Arguments: map[string]string{memberName: name}}, &statistics)
	_, limit := errors.AsType[*LimitError](err)
	if cannotSay(err) || limit {
		return nil, nil
	}
	return statistics[name], err
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
	return "", shapeError(commandStatisticGet, errors.New("a sample is no pair of a value and a time"))
}
