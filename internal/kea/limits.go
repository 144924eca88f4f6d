// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"fmt"
)

// A server can belong to someone else than the provider, so nothing that it answers may take more
// memory or time than there is a reason for. What one answer may be depends on its command:
//
//	                     bytes                 entries          what Kea 3.0.3 answers
//	most commands        256 KiB               –                below 8 KiB
//	subnet4-get          1 MiB                 –                1,000 pools: 0.3 MB
//	subnet4-list         32 MiB                100,000          100,000 subnets: 7.3 MB
//	a page of n hosts    1 MiB + n × 16 KiB    n                1,000 hosts: 0.3 MB
//	a page of n leases   1 MiB + n × 4 KiB     n                1,000 leases: 0.25 MB
//	config-get           64 MiB                100,000 subnets  50,000 hosts in memory: 16 MB
//
// An answer is read up to its limit, within the timeout of the command, and then decoded one entry
// at a time, which stops at a limit too. So it takes its bytes and what is kept of it, and not a
// multiple of its bytes: "{}," is three of them, and a decoded host 300.
const (
	smallAnswer   = 256 << 10
	subnetAnswer  = 1 << 20
	subnetsAnswer = 32 << 20
	configAnswer  = 64 << 20
	pageAnswer    = 1 << 20  // and for each entry:
	hostAnswer    = 16 << 10 //
	leaseAnswer   = 4 << 10  //

	// maxSubnets bounds the subnets of a server, and maxPools their pools.
	maxSubnets = 100_000
	maxPools   = 2 * maxSubnets
	// maxHolders bounds the hosts with one address, which are several only with
	// ip-reservations-unique: false; maxOwned bounds the hosts, and the leases, of one hardware
	// address.
	maxHolders = 64
	maxOwned   = 1000

	// maxHost bounds the JSON of one host. DHCP options are below 64 KiB in all, as they go into
	// one datagram. A larger host cannot be parsed, and affects only itself.
	maxHost = 64 << 10
	// maxDepth is how deep JSON may be nested, as in Kea (data.h, MAX_NESTING_LEVEL).
	maxDepth = 100
	// maxValue bounds what has to be buffered: one string, or one entry of a list. Larger ones end
	// the answer.
	maxValue = 1 << 20
	// maxHostMemory bounds what the hosts of a page take once they are decoded, on average.
	maxHostMemory = 32 << 10

	// maxPages bounds a listing. That is ten million entries where pages have a thousand, and it
	// ends a listing that would go on forever. maxGapCommands bounds what is sent to cross gaps: twice
	// each subnet, see gap.go.
	maxPages       = 10_000
	maxGapCommands = 2 * maxSubnets

	// maxOpaque bounds how many opaque options of a configuration are listed, and maxRelationships
	// those of high availability.
	maxOpaque        = 1000
	maxRelationships = 64
)

// LimitError is an answer, or a listing, that is larger than this client reads.
type LimitError struct {
	Command string
	// Reason says which limit it is and what to do, for people.
	Reason string
}

// Error names the command, the limit and the remedy.
func (e *LimitError) Error() string {
	return fmt.Sprintf("cannot use the answer to %s: %s", e.Command, e.Reason)
}

// tooLarge returns the error for an answer with too many bytes.
func tooLarge(command string, limit int64) error {
	return &LimitError{Command: command, Reason: fmt.Sprintf("it is larger than %s: the url must lead to kea-dhcp4; if it does, Kea has more than this provider is made for", size(limit))}
}

// tooMany returns the error for a list with too many entries.
func tooMany(command, what string, limit int) error {
	return &LimitError{Command: command, Reason: fmt.Sprintf("it has more than %d %s: the url must lead to kea-dhcp4; if it does, Kea has more than this provider is made for", limit, what)}
}

// endless returns the error for a listing that does not come to its end.
func endless(command string) error {
	return &LimitError{Command: command, Reason: fmt.Sprintf("the listing has more than %d pages: the url must lead to kea-dhcp4 itself, and to one", maxPages)}
}

// size is a number of bytes for people.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
