// SPDX-License-Identifier: Apache-2.0

package group

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/vitistack/provider-kea/internal/kea"
)

// What a server says must not cost more than what it means. Its texts can have a time or a number
// in them that is another one each time, and a hostile one can have them so on purpose. Two things
// keep that from being written to the API server again and again: an error of the same kind keeps
// the text of its first occurrence, and what does change is announced at a bounded rate.

// steady returns the last error if the next one is of the same kind, so that its text stays.
func steady(last, next error) error {
	if last != nil && next != nil && kind(last) == kind(next) {
		return last
	}
	return next
}

// kind is what an error says without what changes: which command was refused, and why without times
// and numbers, or which one is not understood. All other errors have texts of this provider, which are
// stable.
func kind(err error) string {
	var (
		rejected  *kea.RejectedError
		malformed *kea.MalformedError
		limit     *kea.LimitError
	)
	switch {
	case errors.As(err, &rejected):
		return "refused " + rejected.Command + " " + letters(rejected.Text)
	case errors.As(err, &malformed):
		return "not understood " + malformed.Command
	case errors.As(err, &limit):
		return "too large " + limit.Command
	default:
		return err.Error()
	}
}

// letters returns a text without all else: times and numbers change, and how they are written.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

const (
	// announceBurst is how many changes of a server's facts are announced at once: more than a
	// server has when it comes or goes.
	announceBurst = 10
	// announceEvery is how often they are announced when there are more.
	announceEvery = 5 * time.Second
)

// pacer bounds how often something is done: announceBurst times at once, and every announceEvery in
// the long run. The zero value has its burst before it.
type pacer struct {
	// full is when all of the burst is there again.
	full time.Time
}

// may reports whether it may be done now, and counts it if so.
func (p *pacer) may(now time.Time) bool {
	if p.full.Before(now) {
		p.full = now
	}
	if p.full.Sub(now) > (announceBurst-1)*announceEvery {
		return false
	}
	p.full = p.full.Add(announceEvery)
	return true
}
