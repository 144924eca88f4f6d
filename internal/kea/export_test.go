// SPDX-License-Identifier: Apache-2.0

package kea

// SetMaxAnswer lowers the bound of answers, so that a test need not send 64 MiB.
func (c *Client) SetMaxAnswer(n int64) { c.maxAnswer = n }

// Reason returns the text for an error of net/http.
func Reason(https bool, err error) string { return (&Client{https: https}).reason(err) }
