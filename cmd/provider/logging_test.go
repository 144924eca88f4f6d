// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/zap/zapcore"
)

// counting is a value that counts how often it is encoded.
type counting struct{ times *int }

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c counting) MarshalLogObject(e zapcore.ObjectEncoder) error {
	*c.times++
	e.AddString("name", "vm01")
	return nil
}

// TestFieldsAreEncodedWhenLogged: a logger costs little that logs nothing, and loses nothing if it does.
func TestFieldsAreEncodedWhenLogged(t *testing.T) {
	out, times := &bytes.Buffer{}, 0
	log := newLogger(out, false)
	of := log.WithName("provider-kea").WithValues("object", counting{&times}).WithValues("reconcileID", "17")
	of.V(1).Info("a detail")
	if times != 0 || out.Len() != 0 {
		t.Fatalf("what is not logged was encoded %d times, and has written %q", times, out)
	}
	of.Info("first")
	of.WithValues("more", true).Info("second")
	log.Info("third")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("logged %q, want three lines", lines)
	}
	for i, want := range []string{`"object":{"name":"vm01"},"reconcileID":"17"}`, `"object":{"name":"vm01"},"reconcileID":"17","more":true}`, `"msg":"third"}`} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("logged %s, want it to end with %s", lines[i], want)
		}
	}
}

// TestDebugLosesNothing: what became of one resource among many is in the log.
func TestDebugLosesNothing(t *testing.T) {
	out := &bytes.Buffer{}
	log := newLogger(out, true)
	const resources = 300
	for i := range resources {
		log.V(1).Info("Reconciling", "resource", i)
		log.V(2).Info("a detail of a library")
	}
	if n := strings.Count(out.String(), `"msg":"Reconciling"`); n != resources {
		t.Errorf("logged %d of %d lines that differ in their fields alone", n, resources)
	}
	if strings.Contains(out.String(), "a detail") {
		t.Error("logged what is below the level of debugging")
	}
}
