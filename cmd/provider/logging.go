// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// newLogger returns a logger that writes JSON. Of lines with the same message it writes the first hundred
// of each second, and some of the others; all of them with debug, which is for finding out what has
// become of one resource among many.
func newLogger(w io.Writer, debug bool) klog.Logger {
	lazy := uberzap.WrapCore(newLazyCore)
	if !debug {
		return zap.New(zap.WriteTo(w), zap.UseDevMode(false), zap.RawZapOpts(lazy))
	}
	// controller-runtime leaves lines out down to the level of debugging. Below it, it does not.
	all := zapcore.DebugLevel - 1
	return zap.New(zap.WriteTo(w), zap.UseDevMode(false), zap.Level(all), zap.RawZapOpts(lazy, uberzap.IncreaseLevel(zapcore.DebugLevel)))
}

// lazyCore encodes the fields of a logger when that logs for the first time: controller-runtime makes
// a logger with fields for each reconcile, and most log nothing.
type lazyCore struct{ zapcore.Core }

// newLazyCore is for zap.WrapCore.
func newLazyCore(c zapcore.Core) zapcore.Core { return lazyCore{c} }

// With implements zapcore.Core.
func (c lazyCore) With(fields []zapcore.Field) zapcore.Core {
	return lazyCore{zapcore.NewLazyWith(c.Core, fields)}
}
