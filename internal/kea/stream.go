// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads one JSON value of an answer. A *shapeMismatchError leaves the decoder
// behind the value; any other error ends the answer.
type reader func(*jsontext.Decoder) error

// shapeMismatchError is a value that is JSON, but not of the shape that Kea sends.
type shapeMismatchError struct{ error }

func (e *shapeMismatchError) Unwrap() error { return e.error }

// into reads a whole value into v.
func into(v any) reader {
	return func(d *jsontext.Decoder) error {
		raw, err := d.ReadValue()
		if err != nil {
			return err //nolint:wrapcheck // parseError makes it an error of this package.
		}
		if err := json.Unmarshal(raw, v); err != nil {
			return &shapeMismatchError{err}
		}
		return nil
	}
}

// required is into for a value that must be there: null is none.
func required(v any) reader {
	return func(d *jsontext.Decoder) error {
		if d.PeekKind() == jsontext.KindNull {
			if err := skip(d); err != nil {
				return err
			}
			return &shapeMismatchError{errors.New("it is null")}
		}
		return into(v)(d)
	}
}

// skip reads a value and keeps nothing of it.
func skip(d *jsontext.Decoder) error {
	t, err := d.ReadToken()
	if err != nil {
		return err //nolint:wrapcheck // As above.
	}
	return skipRest(d, t.Kind())
}

// skipRest reads the rest of a value that begins with a token.
func skipRest(d *jsontext.Decoder, begins jsontext.Kind) error {
	depth := opens(begins)
	for depth > 0 {
		t, err := d.ReadToken()
		if err != nil {
			return err //nolint:wrapcheck // As above.
		}
		if depth += opens(t.Kind()); depth > maxDepth {
			return errTooDeep
		}
	}
	return nil
}

var errTooDeep = errors.New("it is nested too deeply")

// opens returns by how much a token changes the depth.
func opens(k jsontext.Kind) int {
	switch k {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		return 1
	case jsontext.KindEndObject, jsontext.KindEndArray:
		return -1
	default:
		return 0
	}
}

// more reports whether an object or a list has another entry. False if that cannot be read: the next
// token is the error then.
func more(d *jsontext.Decoder) bool {
	switch d.PeekKind() {
	case jsontext.KindInvalid, jsontext.KindEndObject, jsontext.KindEndArray:
		return false
	default:
		return true
	}
}

// objectOf reads an object with the members that are named, and skips others. null is an object
// without members.
func objectOf(members map[string]reader) reader {
	return func(d *jsontext.Decoder) error {
		if there, err := begin(d, jsontext.KindBeginObject, "it is no object"); !there {
			return err
		}
		return readMembers(d, members)
	}
}

// readMembers reads the rest of an object, behind its brace.
func readMembers(d *jsontext.Decoder, members map[string]reader) error {
	var first error
	for more(d) {
		t, err := d.ReadToken()
		if err != nil {
			return err //nolint:wrapcheck // As above.
		}
		name := t.String()
		read := members[name]
		if read == nil {
			read = skip
		}
		if err = read(d); err != nil {
			if !isMismatch(err) {
				return err
			}
			if first == nil {
				first = &shapeMismatchError{fmt.Errorf("cannot read %s: %w", Printable(name, maxName), err)}
			}
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return err //nolint:wrapcheck // As above.
	}
	return first
}

// listOf reads a list, calling item for each entry. found, if not nil, is set if there is a list,
// with entries or without: null is none.
func listOf(found *bool, item reader) reader {
	return func(d *jsontext.Decoder) error {
		if there, err := begin(d, jsontext.KindBeginArray, "it is no list"); !there {
			return err
		}
		if found != nil {
			*found = true
		}
		var first error
		for more(d) {
			if err := item(d); err != nil {
				if !isMismatch(err) {
					return err
				}
				if first == nil {
					first = err
				}
			}
		}
		if _, err := d.ReadToken(); err != nil {
			return err //nolint:wrapcheck // As above.
		}
		return first
	}
}

// begin reads the beginning of an object or a list. there is false for null, and with an error.
func begin(d *jsontext.Decoder, with jsontext.Kind, otherwise string) (there bool, err error) {
	t, err := d.ReadToken()
	switch {
	case err != nil:
		return false, err //nolint:wrapcheck // As above.
	case t.Kind() == jsontext.KindNull:
		return false, nil
	case t.Kind() != with:
		return false, mismatch(d, t.Kind(), otherwise)
	}
	return true, nil
}

// mismatch reads the rest of a value of another shape.
func mismatch(d *jsontext.Decoder, begins jsontext.Kind, what string) error {
	if err := skipRest(d, begins); err != nil {
		return err
	}
	return &shapeMismatchError{errors.New(what)}
}

func isMismatch(err error) bool {
	_, is := errors.AsType[*shapeMismatchError](err)
	return is
}

// upTo returns a reader for the entries of a list that has limit of them at most.
func upTo(limit int, command, what string, item reader) reader {
	n := 0
	return func(d *jsontext.Decoder) error {
		if n++; n > limit {
			return tooMany(command, what, limit)
		}
		return item(d)
	}
}

// body is the body of an answer. It ends where a single value is larger than maxValue, since the
// decoder keeps a value until it is complete, and in an error if it is larger than it may be. What is
// wrong with its entries is found first.
type body struct {
	from *bytes.Reader
	req  request
	// decoder reads from this body.
	decoder *jsontext.Decoder
}

// newDecoder returns the decoder of an answer.
func newDecoder(answer []byte, req request) *jsontext.Decoder {
	b := &body{from: bytes.NewReader(answer), req: req}
	// As encoding/json reads it: the last of several members of a name counts, and bytes need not be
	// UTF-8.
	b.decoder = jsontext.NewDecoder(b, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return b.decoder
}

// chunk is how much is read at a time.
const chunk = 32 << 10

// Read reads a part of the body.
func (b *body) Read(p []byte) (int, error) {
	read := b.from.Size() - int64(b.from.Len())
	if read-b.decoder.InputOffset() > maxValue+chunk {
		return 0, tooLargeValue(b.req.Command)
	}
	if read > b.req.maxAnswer() {
		return 0, tooLarge(b.req.Command, b.req.maxAnswer())
	}
	return b.from.Read(p[:min(len(p), chunk)]) //nolint:wrapcheck // io.EOF must stay as it is.
}

func tooLargeValue(command string) error {
	return &LimitError{Command: command, Reason: fmt.Sprintf("one entry or text in it is larger than %s: the url must lead to kea-dhcp4; "+
		"if it does, remove what is that large from Kea", size(maxValue))}
}

// checkDepth returns an error for JSON that is nested more deeply than Kea's can be.
func checkDepth(raw []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return errTooDeep
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
