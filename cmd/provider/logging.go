// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go.uber.org/zap/zapcore"
)

// lazyCore encodes the fields of a logger when that logs for the first time: controller-runtime makes
// a logger with fields for each reconcile, and most log nothing.
type lazyCore struct{ zapcore.Core }

// newLazyCore is for zap.WrapCore.
func newLazyCore(c zapcore.Core) zapcore.Core { return lazyCore{c} }

// With implements zapcore.Core.
func (c lazyCore) With(fields []zapcore.Field) zapcore.Core {
	return lazyCore{zapcore.NewLazyWith(c.Core, fields)}
}
