// SPDX-License-Identifier: Apache-2.0

package kea

// Reason returns the text for an error of net/http.
func Reason(https bool, err error) string { return (&Client{https: https}).reason(err) }

// CompactHost reads a host of the form that Kea writes.
var CompactHost = compactHost

// PlainLease and ParseLease are the two ways to read a lease.
var (
	PlainLease = plainLease
	ParseLease = parseLease
)
