// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"net/netip"
	"unicode/utf8"
)

// The functions below walk over JSON that is known to be valid: a decoder has read it as one value.
// They allocate nothing, and accept the strict form that Kea writes and nothing else. All other JSON
// is left to encoding/json, so that what is accepted does not depend on them (FuzzHost, FuzzLease).

// eachMember calls visit for the members of an object until that returns false. It returns false if
// visit does, and where the names are not plain, in order, and different: of several members of one
// name the last one counts.
func eachMember(object []byte, visit func(name, value []byte) bool) bool {
	if len(object) == 0 || object[0] != '{' {
		return false
	}
	var last []byte
	for i := skipBlanks(object, 1); object[i] != '}'; {
		end := valueEnd(object, i)
		name, ok := plain(object[i:end])
		if !ok || len(name) == 0 || bytes.Compare(last, name) >= 0 {
			return false
		}
		i = skipBlanks(object, skipBlanks(object, end)+1) // behind the colon
		end = valueEnd(object, i)
		if !visit(name, object[i:end]) {
			return false
		}
		last = name
		if i = skipBlanks(object, end); object[i] == ',' {
			i = skipBlanks(object, i+1)
		}
	}
	return true
}

// eachItem calls visit for the items of a list until that returns false, which it returns too.
func eachItem(list []byte, visit func(item []byte) bool) bool {
	if len(list) == 0 || list[0] != '[' {
		return false
	}
	for i := skipBlanks(list, 1); list[i] != ']'; {
		end := valueEnd(list, i)
		if !visit(list[i:end]) {
			return false
		}
		if i = skipBlanks(list, end); list[i] == ',' {
			i = skipBlanks(list, i+1)
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func skipBlanks(raw []byte, i int) int {
	for i < len(raw) && isBlank(raw[i]) {
		i++
	}
	return i
}

// valueEnd returns where the value that starts at i ends.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			i++
		default:
			if depth == 0 && (isBlank(raw[i]) || raw[i] == ',' || raw[i] == ':') {
				return i
			}
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// stringEnd returns where the string that starts at i ends.
func stringEnd(raw []byte, i int) int {
	for i++; i < len(raw) && raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// appendCompact appends a value without its layout.
func appendCompact(out, value []byte) []byte {
	for i := 0; i < len(value); {
		switch c := value[i]; {
		case c == '"':
			end := stringEnd(value, i)
			out = append(out, value[i:end]...)
			i = end
		case isBlank(c):
			i++
		default:
			out = append(out, c)
			i++
		}
	}
	return out
}

// plain returns the text of a string without escapes that is ASCII.
func plain(value []byte) ([]byte, bool) {
	if !isString(value) || !isPlain(value) {
		return nil, false
	}
	return value[1 : len(value)-1], true
}

func isString(value []byte) bool { return len(value) >= 2 && value[0] == '"' }

func isNull(value []byte) bool { return string(value) == null }

// number returns a number that is written with digits alone.
func number(value []byte, limit uint64) (uint64, bool) {
	const digits = 19 // fit in any case
	if len(value) == 0 || len(value) > digits {
		return 0, false
	}
	var n uint64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0') //nolint:mnd // Decimal.
	}
	return n, n <= limit
}

// address returns an IPv4 address that is written in the usual way.
func address(text []byte) (netip.Addr, bool) {
	var out [4]byte
	part, digits, n := 0, 0, 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '.' {
			c := text[i]
			if c < '0' || c > '9' || digits > 0 && n == 0 {
				return netip.Addr{}, false
			}
			n, digits = 10*n+int(c-'0'), digits+1 //nolint:mnd // Decimal.
			if n > 0xff {
				return netip.Addr{}, false
			}
			continue
		}
		if digits == 0 || part == len(out) {
			return netip.Addr{}, false
		}
		out[part] = byte(n)
		part, digits, n = part+1, 0, 0
	}
	return netip.AddrFrom4(out), part == len(out)
}

// isLower reports whether ASCII text has no upper-case letter.
func isLower(text []byte) bool {
	for _, c := range text {
		if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
