// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of texts, in bytes.
const (
	// MaxMessage bounds a message that has texts of Kea in it: a condition, an event, a line of a
	// log.
	MaxMessage = 4 << 10
	// maxText bounds the text of an answer that is kept, and maxReason what of it goes into an
	// error.
	maxText   = 1 << 10
	maxReason = 512
	// maxName bounds names, states and versions.
	maxName = 128
)

// Printable returns text from a server, which may be any bytes of any length, as text that people
// and the Kubernetes API can read: valid UTF-8, in one line, of limit bytes at most. What is not
// UTF-8 is replaced by U+FFFD and control characters by a blank; what is left out at the end is
// replaced by an ellipsis. Printable of a printable text is that text.
func Printable(s string, limit int) string {
	whole := len(s) <= limit
	if !whole {
		s = truncate(s, limit)
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if whole && len(s) <= limit {
		return s
	}
	return truncate(s, limit-len(ellipsis)) + ellipsis
}

const ellipsis = "…"

// truncate returns the first bytes of a string, without the beginning of a character that does not
// fit.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(limit, 0)
	for back := 0; back < utf8.UTFMax && end > 0 && !utf8.RuneStart(s[end]); back++ {
		end--
	}
	return s[:end]
}
