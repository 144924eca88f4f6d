// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// withBytes has the single byte E9, which is not UTF-8, in every text, and next to it a character
// that is.
func withBytes() kea.Reservation {
	const text = "a\xe9\u00fcb"
	r := host(hw1, "10.123.0.51")
	r.Hostname, r.ServerHostname, r.BootFileName = text, text, text
	r.ClientClasses = []string{text}
	r.UserContext = map[string]any{"key": text, text: []any{text}}
	r.OptionData = []kea.OptionData{option("domain-name", 15, true, text), option("", 230, false, "E9")}
	return r
}

// Bytes that are not UTF-8 come back as they were. PostgreSQL refuses them, in an update after Kea
// has deleted the host.
func contractBytes(t *testing.T, st stand) {
	s := st.start(t, setup{})
	want := withBytes()
	if st.target == kea.TargetMemory {
		s.mustAdd(t, s.target, want)
		for range 2 {
			got, err := s.Reservation(t.Context(), s.target, subnetA, hw1)
			if diff := cmp.Diff(want, got, compare); err != nil || diff != "" {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
			wantClass(t, "the update", s.UpdateReservation(t.Context(), s.target, got), "ok")
		}
		if diff := cmp.Diff([]kea.Reservation{want}, s.all(t), compare); diff != "" {
			t.Errorf("ReservationPages: -want +got:\n%s", diff)
		}
		// As another client writes it.
		wantResult(t, "the add", s.raw(t, "reservation-add",
			`{"operation-target": "memory", "reservation": {"subnet-id": 1, "hw-address": "`+string(hw2)+`", "boot-file-name": "\u00e9"}}`), 0)
		got, err := s.Reservation(t.Context(), s.target, subnetA, hw2)
		if err != nil || got.BootFileName != "\xe9" {
			t.Errorf("got %q, %v, want the byte E9", got.BootFileName, err)
		}
		return
	}
	wantClass(t, "an add of bytes to the database", s.AddReservation(t.Context(), s.target, want), "rejected")
	s.mustAdd(t, s.target, host(hw1, "10.123.0.51"))
	wantClass(t, "an update to bytes", s.UpdateReservation(t.Context(), s.target, want), "rejected")
	_, err := s.Reservation(t.Context(), s.target, subnetA, hw1)
	wantClass(t, "the host after it", err, "not found")
}

// A database takes client classes of 255 bytes in all, commas included, and an update to more loses
// the host. Of 255 that are in MySQL, Kea reads the last one as a zero byte. Memory takes any
// number.
func contractColumns(t *testing.T, st stand) {
	s := st.start(t, setup{})
	r := host(hw1, "10.123.0.51")
	for i := range 6 {
		r.ClientClasses = append(r.ClientClasses, fmt.Sprintf("%042d", i)) // 257 bytes with the commas
	}
	r.ClientClasses[0] = strings.TrimPrefix(r.ClientClasses[0], "00")
	s.mustAdd(t, s.target, r)
	want := r
	if st.mySQL {
		want.ClientClasses = slices.Clone(r.ClientClasses)
		want.ClientClasses[5] = strings.TrimSuffix(want.ClientClasses[5], "5") + "\x00"
	}
	got, err := s.Reservation(t.Context(), s.target, subnetA, hw1)
	if diff := cmp.Diff(want, got, compare); err != nil || diff != "" {
		t.Errorf("255 bytes: %v, -want +got:\n%s", err, diff)
	}
	r.ClientClasses[0] += "0"
	wantUpdate, wantAfter := "ok", "ok"
	if st.target == kea.TargetDatabase {
		wantUpdate, wantAfter = "rejected", "not found"
	}
	wantClass(t, "an update to 256 bytes", s.UpdateReservation(t.Context(), s.target, r), wantUpdate)
	_, err = s.Reservation(t.Context(), s.target, subnetA, hw1)
	wantClass(t, "the host after it", err, wantAfter)
}
