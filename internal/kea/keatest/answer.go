// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// answer is what Kea answers to a command.
type answer struct {
	Arguments any    `json:"arguments,omitempty"`
	Result    int    `json:"result"`
	Text      string `json:"text,omitempty"`
}

// Result codes.
const (
	resultSuccess     = 0
	resultError       = 1
	resultUnsupported = 2
	resultEmpty       = 3
	resultConflict    = 4
)

func success(text string, arguments any) answer {
	return answer{Result: resultSuccess, Text: text, Arguments: arguments}
}

func failure(format string, args ...any) answer {
	return answer{Result: resultError, Text: fmt.Sprintf(format, args...)}
}

func empty(text string, arguments any) answer {
	return answer{Result: resultEmpty, Text: text, Arguments: arguments}
}

// encode writes an answer as Kea does: in an array, and with each byte above 0x7f escaped as if it
// were a character. (Kea does not escape the keys of an object. That makes no difference to a
// reader.)
func (a answer) encode() []byte {
	a.Arguments, a.Text = characters(a.Arguments), charactersOf(a.Text)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([]answer{a}); err != nil {
		panic(fmt.Sprintf("keatest: cannot encode an answer: %v", err))
	}
	var out bytes.Buffer
	for _, r := range strings.TrimSpace(b.String()) {
		if r < 0x80 {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// characters turns each byte of all strings in a value into a character, so that encoding/json
// leaves what is not UTF-8 as it is.
func characters(v any) any {
	switch t := v.(type) {
	case string:
		return charactersOf(t)
	case json.RawMessage:
		return json.RawMessage(charactersOf(string(t)))
	case []string:
		return each(t)
	case []any:
		return each(t)
	case []object:
		return each(t)
	case object:
		out := make(object, len(t))
		for k, v := range t {
			out[charactersOf(k)] = characters(v)
		}
		return out
	default:
		return v
	}
}

func each[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = characters(v)
	}
	return out
}

func charactersOf(s string) string {
	out := make([]rune, 0, len(s))
	for _, b := range []byte(s) {
		out = append(out, rune(b))
	}
	return string(out)
}
