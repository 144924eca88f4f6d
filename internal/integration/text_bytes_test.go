// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// Texts with a byte for each rune, as Kea has them: see escaped and runes.
const (
	latin1 = "a\u00e9b"       // one byte, as an administrator with an old terminal wrote it
	inUTF8 = "a\u00c3\u00a9b" // the two bytes of UTF-8
)

// textFields are the fields of a host that can have such bytes, each with the text in it.
func textFields(text string) object {
	return object{
		"boot-file-name": text, "server-hostname": text, "hostname": text, "client-classes": []any{text},
		"option-data":  []any{object{"name": "root-path", "data": text}},
		"user-context": object{"rack " + text: text, "nested": []any{object{"note": text}}},
	}
}

// textsOf returns the fields of textFields as they are in a host, without our mark.
func textsOf(h object) string {
	context, _ := h["user-context"].(object)
	delete(context, "crossplane")
	b, err := json.Marshal([]any{h["boot-file-name"], h["server-hostname"], h["hostname"], h["client-classes"], options(h), context})
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestTextBytes: bytes of a host that are not ASCII, UTF-8 or not, are the same after adoption,
// after a change of another field, and after the reservation was lost and restored.
func TestTextBytes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"Latin-1": latin1, "UTF-8": inUTF8} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{})
			s.putHost(inMemory, mac, "10.123.0.60", textFields(text))
			want := textsOf(s.host(inMemory, mac))
			unchanged := func(when string) {
				t.Helper()
				s.awaitMarked(mac, "vm01")
				equal(t, "what Kea has "+when, textsOf(s.host(inMemory, mac)), want)
			}
			r := s.created(s.static("vm01", "10.123.0.60"))
			unchanged("after the adoption")
			edit(s, r, withAddress("10.123.0.61"))
			s.awaitHeld(mac, "10.123.0.61")
			s.await(r, isReady, isSynced)
			unchanged("after a change of the address")
			s.checkQuiet(r)
			s.kea.Restart(t)
			s.awaitHeld(mac, "10.123.0.61")
			s.await(r, isReady, isSynced)
			unchanged("after it was restored")
			s.checkQuiet(r)
		})
	}
}

// TestTextBytesOfSpec: what the spec sets is in Kea as UTF-8, and is no difference afterwards.
func TestTextBytesOfSpec(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o(t))
			r := s.created(s.reservation("vm01", params{
				HWAddress: mac, IPAddress: "10.123.0.50", BootFileName: new("aéb"), ServerHostname: new("aéb"), ClientClasses: []string{"aéb"},
			}))
			s.checkQuiet(r)
			h := s.host(name, mac)
			equal(t, "what Kea has", fmt.Sprint(h["boot-file-name"], h["server-hostname"], h["client-classes"]), inUTF8+inUTF8+"["+inUTF8+"]")
			equal(t, "what was written", s.writes(), 1)
		})
	}
}

// TestTextBytesTooMany: the protocol's fields count bytes, and so does the API.
func TestTextBytesTooMany(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	for name, p := range map[string]params{
		"serverHostname": {ServerHostname: new(strings.Repeat("é", 32))}, // 64 bytes of 63
		"bootFileName":   {BootFileName: new(strings.Repeat("é", 64))},   // 128 bytes of 127
	} {
		p.HWAddress, p.IPAddress = mac, "10.123.0.50"
		r := s.reservation("vm01", p)
		err := s.client.Create(t.Context(), r)
		if err == nil {
			t.Errorf("%s: the API takes more bytes than DHCP has room for", name)
			s.delete(r)
			s.awaitGone(r)
			continue
		}
		contains(t, "the API's answer", err.Error(), name, "bytes")
	}
	fits := s.reservation("vm01", params{
		HWAddress: mac, IPAddress: "10.123.0.50", ServerHostname: new(strings.Repeat("é", 31)), BootFileName: new(strings.Repeat("é", 63)),
	})
	s.created(fits)
	equal(t, "boot-file-name", fmt.Sprint(s.host(inMemory, mac)["boot-file-name"]), strings.Repeat("\u00c3\u00a9", 63))
}
