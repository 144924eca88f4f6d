// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
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
	samples, err := c.statistic(ctx, instanceStatistic)
	if err != nil || len(samples) == 0 {
		return "", err
	}
	// The newest is first, and 20 are kept, so that the one of the start outlasts stray messages.
	return samples[len(samples)-1].time()
}
