// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Kea's JSON differs from everyone else's in one point: its strings are bytes. It stores the bytes
// of a string as they come, UTF-8 or not, and answers with each byte above 0x7f escaped as if it
// were a character of its own ("ü" as \u00c3\u00bc). In a request, \u00e9 is the single byte E9,
// and an escape above \u00ff is refused with HTTP 400. (Pinned by the contract suite, "Text".)
//
// encoding/json replaces what is not UTF-8. The types below do not: in Go, a string holds exactly
// the bytes that Kea has.

// text is a string of Kea.
type text string

// UnmarshalJSON reads a string as Kea writes it.
func (t *text) UnmarshalJSON(raw []byte) error {
	if string(raw) == null {
		return nil
	}
	if len(raw) < 2 || raw[0] != '"' {
		return errors.New("it is not a string")
	}
	if isPlain(raw) {
		*t = text(raw[1 : len(raw)-1])
		return nil
	}
	var s string
	if err := json.Unmarshal(escapeBytes(raw), &s); err != nil {
		return fmt.Errorf("cannot read a string: %w", err)
	}
	*t = text(bytesOf(s))
	return nil
}

// MarshalJSON writes a string so that Kea stores exactly its bytes.
func (t text) MarshalJSON() ([]byte, error) { return appendText(nil, string(t)), nil }

// texts is a list of strings of Kea.
type texts []string

// UnmarshalJSON reads a list as Kea writes it.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var list []text
	if err := json.Unmarshal(raw, &list); err != nil {
		return err //nolint:wrapcheck // members.take names the member.
	}
	*t = nil
	for _, s := range list {
		*t = append(*t, string(s))
	}
	return nil
}

// MarshalJSON writes a list so that Kea stores exactly its bytes.
func (t texts) MarshalJSON() ([]byte, error) {
	values := make([]any, len(t))
	for i, s := range t {
		values[i] = s
	}
	return appendValue(nil, values)
}

// userContext is a JSON object of any content.
type userContext map[string]any

// UnmarshalJSON reads an object as Kea writes it. Numbers stay as they are written.
func (u *userContext) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(escapeBytes(raw)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return err //nolint:wrapcheck // members.take names the member.
	}
	if !isPlain(raw) {
		m, _ = valueOf(m).(map[string]any)
	}
	*u = m
	return nil
}

// MarshalJSON writes an object so that Kea stores exactly its bytes.
func (u userContext) MarshalJSON() ([]byte, error) { return appendValue(nil, map[string]any(u)) }

// isPlain reports whether the strings in JSON are what they look like: no escapes, all ASCII.
func isPlain(raw []byte) bool {
	return !slices.ContainsFunc(raw, func(b byte) bool { return b == '\\' || b >= utf8.RuneSelf })
}

// escapeBytes writes each byte above 0x7f as Kea does, so that encoding/json takes none for UTF-8.
func escapeBytes(raw []byte) []byte {
	if !slices.ContainsFunc(raw, func(b byte) bool { return b >= utf8.RuneSelf }) {
		return raw
	}
	out := make([]byte, 0, 2*len(raw))
	for _, b := range raw {
		out = appendByte(out, b)
	}
	return out
}

// appendByte appends a byte of a string, escaped if it is above 0x7f.
func appendByte(out []byte, b byte) []byte {
	if b < utf8.RuneSelf {
		return append(out, b)
	}
	return fmt.Appendf(out, `\u%04x`, b)
}

// bytesOf turns the characters of a decoded string into the bytes that they stand for. Kea writes
// none above U+00FF; one from elsewhere stays as its UTF-8.
func bytesOf(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r <= 0xff {
			out = append(out, byte(r)) //nolint:gosec // Checked just above.
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}

// valueOf applies bytesOf to all strings in a decoded value.
func valueOf(v any) any {
	switch t := v.(type) {
	case string:
		return bytesOf(t)
	case []any:
		for i := range t {
			t[i] = valueOf(t[i])
		}
		return t
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, v := range t {
			out[bytesOf(k)] = valueOf(v)
		}
		return out
	default:
		return v
	}
}

// appendText appends a string as JSON: as it is where it is UTF-8, else with an escape for each
// byte above 0x7f.
func appendText(out []byte, s string) []byte {
	valid := utf8.ValidString(s)
	out = append(out, '"')
	for _, b := range []byte(s) {
		switch {
		case b == '"' || b == '\\':
			out = append(out, '\\', b)
		case b < 0x20:
			out = fmt.Appendf(out, `\u%04x`, b)
		case valid:
			out = append(out, b)
		default:
			out = appendByte(out, b)
		}
	}
	return append(out, '"')
}

// appendValue appends any value as JSON, objects with their members sorted.
func appendValue(out []byte, v any) ([]byte, error) {
	switch t := v.(type) {
	case string:
		return appendText(out, t), nil
	case []any:
		return appendAll(append(out, '['), t, ']', appendValue)
	case map[string]any:
		if t == nil {
			return append(out, null...), nil
		}
		return appendAll(append(out, '{'), slices.Sorted(maps.Keys(t)), '}', func(out []byte, k string) ([]byte, error) {
			return appendValue(append(appendText(out, k), ':'), t[k])
		})
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("cannot make JSON: %w", err)
		}
		return append(out, raw...), nil
	}
}

// appendAll appends items with commas between them, and what closes them.
func appendAll[T any](out []byte, items []T, closing byte, item func([]byte, T) ([]byte, error)) ([]byte, error) {
	for i, v := range items {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = item(out, v); err != nil {
			return nil, err
		}
	}
	return append(out, closing), nil
}
