// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
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
	log := zap.New(zap.WriteTo(out), zap.UseDevMode(false), zap.Level(zapcore.InfoLevel), zap.RawZapOpts(uberzap.WrapCore(newLazyCore)))
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
