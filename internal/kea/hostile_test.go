// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitistack/provider-kea/internal/kea"
)

// endless is a body that repeats a text for good after its head.
type endless struct {
	head, item string
	rest       string
}

// Read reads the next part.
func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest, e.head = e.head, strings.Repeat(e.item, 1000)
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// hostile is a server that answers with what is returned for the number of the command.
func hostile(body func(n int) io.Reader) kea.Config {
	n := 0
	return kea.Config{URL: "http://kea.test", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		n++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body(n)), Request: r}, nil
	})}
}

// TestHostile: what a server sends costs no more than there is a reason for, and the error says which
// limit it is.
func TestHostile(t *testing.T) {
	repeat := func(head, item string) func(int) io.Reader {
		return func(int) io.Reader { return &endless{head: head, item: item} }
	}
	const arguments = `[{"result": 0, "arguments": {`
	for name, tc := range map[string]struct {
		reason string
		body   func(n int) io.Reader
		run    string
		want   string
	}{
		"EmptyHosts":    {"A host is 3 bytes, and 300 decoded.", repeat(arguments+`"hosts": [{}`, ",{}"), "ReservationPages", "more than 1 hosts"},
		"EmptyLeases":   {"As above.", repeat(arguments+`"leases": [{}`, ",{}"), "LeasePages", "more than 1 leases"},
		"EmptyHolders":  {"Of one address.", repeat(arguments+`"hosts": [{}`, ",{}"), "ReservationsByAddress", "more than 64 hosts"},
		"LeasesOfOne":   {"Of one device.", repeat(arguments+`"leases": [{}`, ",{}"), "LeasesByHWAddress", "more than 1000 leases"},
		"Options":       {"In one host.", repeat(arguments+`"hosts": [{"option-data": [{}`, ",{}"), "ReservationPages", "larger than 1 MiB"},
		"Text":          {"Of an error.", repeat(`[{"result": 1, "text": "`, "x"), "Reservation", "larger than 256 KiB"},
		"Member":        {"That is not needed.", repeat(arguments+`"x": "`, "x"), "Subnets", "larger than 1 MiB"},
		"Members":       {"That are not needed.", repeat(arguments+`"x": 1`, `,"x": 1`), "ReservationPages", "larger than 1 MiB"},
		"Subnets":       {"More than there can be.", repeat(arguments+`"subnets": [{"id": 1, "subnet": "10.0.0.0/8"}`, `,{"id":1,"subnet":"10.0.0.0/8"}`), "Subnets", "more than 100000 subnets"},
		"ConfigSubnets": {"That nothing is right about.", repeat(arguments+`"Dhcp4": {"subnet4": [{}`, ",{}"), "Configuration", "more than 100000 subnets"},
		"ConfigPools":   {"Of one subnet.", repeat(arguments+`"Dhcp4": {"subnet4": [{"id": 1, "subnet": "10.0.0.0/8", "pools": [{"pool":"10.0.0.0/9"}`, `,{"pool":"10.0.0.0/9"}`), "Configuration", "more than 200000 pools"},
		"ConfigHosts":   {"They are not kept.", repeat(arguments+`"Dhcp4": {"reservations": [{}`, `,{"hostname": "`+strings.Repeat("x", 4000)+`"}`), "Configuration", "larger than 64 MiB"},
		"Blanks":        {"After the answer.", repeat(`[{"result": 0, "arguments": []}]`, " "), "Probe", "larger than 256 KiB"},
		"Deep":          {"Nested without an end.", repeat(arguments+`"x": [`, "["), "Subnets", "not the JSON"},
		"Endless": {"The listing goes on: it gets ahead, and comes to no end.", func(n int) io.Reader {
			return strings.NewReader(fmt.Sprintf(`[{"result": 0, "arguments": {"hosts": [{}], "next": {"from": %d, "source-index": 0}}}]`, n))
		}, "AllPages", "more than 10000 pages"},
		"LeasesBehind": {"A page that has leases of the last one again.", func(n int) io.Reader {
			return strings.NewReader(fmt.Sprintf(`[{"result": 0, "arguments": {"leases": [{"ip-address": "10.0.0.%d"}]}}]`, max(1, 3-n)))
		}, "AllLeases", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, hostile(tc.body))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			runs := reads(t.Context(), c)
			runs["AllPages"] = func() error { return lastError(c.ReservationPages(t.Context(), 1)) }
			runs["AllLeases"] = func() error { return lastError(c.LeasePages(t.Context(), 1)) }
			err := runs[tc.run]()
			runtime.ReadMemStats(&after)
			want := "limit"
			if tc.want == "" || name == "Deep" {
				want = "malformed"
			}
			wantClass(t, tc.reason, err, want)
			if err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s got the text %q, want %q in it", tc.reason, err, tc.want)
			}
			// What is thrown away at once counts too, so this is far above what is used at any time.
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 800 {
				t.Errorf("%s took %d MB in all", tc.reason, mb)
			}
		})
	}
}

// lastError reads all pages.
func lastError[T any](pages iter.Seq2[T, error]) error {
	for _, err := range pages {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestLargeHost: a host that is too large, or nested too deeply, affects only itself.
func TestLargeHost(t *testing.T) {
	const page = `[{"result": 0, "arguments": {"hosts": [%s, {"hw-address": "00:00:00:00:00:02", "subnet-id": 1}], "next": {"from": 2, "source-index": 0}}}]`
	for name, host := range map[string]string{
		"Large": `{"hw-address": "00:00:00:00:00:01", "subnet-id": 1, "hostname": "` + strings.Repeat("x", 64<<10) + `"}`,
		"Deep":  `{"hw-address": "00:00:00:00:00:01", "subnet-id": 1, "user-context": {"a": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, answering(fmt.Sprintf(page, host)))
			for page, err := range c.ReservationPages(t.Context(), 2) {
				if err != nil || len(page.Hosts) != 1 || len(page.Unreadable) != 1 {
					t.Fatalf("got %d hosts, %v, %v", len(page.Hosts), page.Unreadable, err)
				}
				if text := page.Unreadable[0].Error(); len(text) > 300 {
					t.Errorf("the text has %d bytes", len(text))
				}
				break
			}
		})
	}
}

// TestTextsAreLimited: what a server says goes into conditions, events and logs.
func TestTextsAreLimited(t *testing.T) {
	long := strings.Repeat(`\u00e9\u0007`, 20000)
	_, err := newClient(t, answering(`[{"result": 1, "text": "`+long+`"}]`)).Version(t.Context())
	var rejected *kea.RejectedError
	if !errors.As(err, &rejected) || len(rejected.Text) > 1024 {
		t.Fatalf("got %.100v", err)
	}
	if text := err.Error(); len(text) > 600 || !utf8.ValidString(text) || strings.ContainsRune(text, 7) || !strings.HasSuffix(text, "…") {
		t.Errorf("got %q", text)
	}
	version, err := newClient(t, answering(`[{"result": 0, "arguments": {}, "text": "`+long+`"}]`)).Version(t.Context())
	if err != nil || len(version) > 128 || !utf8.ValidString(version) {
		t.Errorf("the version is %q, %v", version, err)
	}
	ha := `{"ha-mode": "` + long + `", "ha-servers": {"local": {"state": "` + long + `"}, "remote": {"server-name": "` + long + `"}}}`
	_, err = newClient(t, answering(`[{"result": 0, "arguments": {"high-availability": [`+ha+`]}}]`)).Status(t.Context())
	wantClass(t, "a status of this size", err, "limit")
	ha = strings.ReplaceAll(ha, long, long[:24000])
	status, err := newClient(t, answering(`[{"result": 0, "arguments": {"high-availability": [`+ha+`]}}]`)).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{status.HA[0].Mode, status.HA[0].State, status.HA[0].PeerName} {
		if len(s) > 128 || !utf8.ValidString(s) {
			t.Errorf("got %q", s)
		}
	}
}

func TestPrintable(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, in string
		limit      int
		want       string
	}{
		"Plain":     {"It stays.", "no such host: ü", 20, "no such host: ü"},
		"Control":   {"One line.", "a\nb\x00c\u2028d", 20, "a b c d"},
		"NotUTF8":   {"Any bytes.", "a\xffb", 20, "a\uFFFDb"},
		"JustFits":  {"No ellipsis.", "abcdef", 6, "abcdef"},
		"TooLong":   {"With one.", "abcdefg", 6, "abc…"},
		"AtARune":   {"No half of a character.", "abüdefg", 6, "ab…"},
		"Grows":     {"What replaces bytes is longer than they are.", "\xffa\xffa\xff", 5, "…"},
		"OnlyBytes": {"That begin no character.", strings.Repeat("\x80", 100), 10, "\uFFFD…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kea.Printable(tc.in, tc.limit); got != tc.want {
				t.Errorf("%s got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
