// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Kea's JSON differs from everybody's in one point: its strings are bytes. It stores UTF-8 as it comes, but answers with each byte above 0x7f escaped as
// if it were a character of its own ("ü" as \u00c3\u00bc), and it refuses escapes above \u00ff with HTTP 400. Read and written back naively, a name with
// an umlaut in somebody's user-context would grow with every update. So escapes of bytes are undone before decoding, and none is made in encoding.

// encode makes JSON that Kea reads.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("cannot make JSON: %w", err)
	}
	return unescape(bytes.TrimSuffix(b.Bytes(), []byte("\n")), wideRune), nil
}

// decode reads JSON as Kea writes it: numbers stay as they are written, and nothing may follow the value.
func decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(unescape(raw, highBytes)))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("cannot read JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("cannot read JSON: there is more after the first value")
	}
	return nil
}

// wideRune gives the UTF-8 of an escaped character that Kea would refuse. encoding/json escapes U+2028, U+2029 and U+FFFD without being asked.
func wideRune(raw []byte) ([]byte, int) {
	r, ok := escaped(raw)
	if !ok || r <= 0xff || !utf8.ValidRune(r) {
		return nil, 0
	}
	return utf8.AppendRune(nil, r), escapeLength
}

// highBytes gives the bytes that Kea meant by a run of escapes. If they are no UTF-8 the escapes stay: then it was a writer who escapes all but ASCII,
// to whom they were characters (\u00e9 for é), and Kea took them for bytes.
func highBytes(raw []byte) ([]byte, int) {
	var out []byte
	n := 0
	for {
		r, ok := escaped(raw[n:])
		if !ok || r < utf8.RuneSelf || r > 0xff {
			break
		}
		out = append(out, byte(r))
		n += escapeLength
	}
	if !utf8.Valid(out) {
		return raw[:n], n
	}
	return out, n
}

// unescape runs over the escapes of JSON, and replaces as many bytes as the function says by what it gives; with 0 the escape stays. A backslash occurs
// in JSON in strings only, so they need not be found.
func unescape(raw []byte, replace func([]byte) ([]byte, int)) []byte {
	if !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		next := bytes.IndexByte(raw, '\\')
		if next < 0 || next+1 == len(raw) {
			break
		}
		out, raw = append(out, raw[:next]...), raw[next:]
		b, n := replace(raw)
		if n == 0 {
			b, n = raw[:2], 2 // Both: the second may be a backslash itself, and starts no escape then.
		}
		out, raw = append(out, b...), raw[n:]
	}
	return append(out, raw...)
}

// escapeLength is that of \uXXXX.
const escapeLength = 6

// escaped gives the number in the \uXXXX that raw starts with.
func escaped(raw []byte) (rune, bool) {
	if len(raw) < escapeLength || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[2:escapeLength]), 16, 16)
	return rune(n), err == nil
}

// members takes a JSON object apart, so that what is not known can be kept.
type members map[string]json.RawMessage

// take decodes a member into v and removes it; v stays as it is if there is no such member.
func (m members) take(name string, v any) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	delete(m, name)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	return nil
}

// rest gives the members that were not taken, without their layout, so that they compare.
func (m members) rest() map[string]json.RawMessage {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]json.RawMessage, len(m))
	for k, raw := range m {
		var b bytes.Buffer
		if json.Compact(&b, raw) == nil {
			raw = b.Bytes()
		}
		out[k] = raw
	}
	return out
}
