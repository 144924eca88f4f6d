// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// null is JSON for "nothing".
const null = "null"

// encode makes JSON that Kea reads. Strings that are not ASCII must be of the types in text.go.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("cannot make JSON: %w", err)
	}
	return unescapeWide(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escapeLength is that of \uXXXX.
const escapeLength = 6

// unescapeWide writes escapes above \u00ff, which Kea refuses, as the UTF-8 of their character.
// encoding/json makes them for U+2028, U+2029 and U+FFFD without being asked. A backslash occurs in
// JSON in strings only, so they need not be found.
func unescapeWide(raw []byte) []byte {
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
		if r, ok := escaped(raw); ok && r > 0xff && utf8.ValidRune(r) {
			out, raw = utf8.AppendRune(out, r), raw[escapeLength:]
			continue
		}
		// Both bytes: the second may be a backslash itself, which starts no escape then.
		out, raw = append(out, raw[:2]...), raw[2:]
	}
	return append(out, raw...)
}

// escaped returns the number in the \uXXXX that raw starts with.
func escaped(raw []byte) (rune, bool) {
	if len(raw) < escapeLength || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[2:escapeLength]), 16, 16)
	return rune(n), err == nil
}

// members are those of a JSON object, so that what this client does not know can be kept.
type members map[string]json.RawMessage

// take decodes a member into v and removes it; v stays as it is if there is no such member.
func (m members) take(name string, v any) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	delete(m, name)
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	return nil
}

// rest returns the members that were not taken, without their layout, so that they compare.
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
