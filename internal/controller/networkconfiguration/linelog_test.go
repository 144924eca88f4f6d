// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"slices"
	"strings"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
)

// A lineLog keeps the lines that are logged for people, and apart from them the others.
type lineLog struct {
	logging.Logger

	mu    sync.Mutex
	lines []string
	debug []string
}

func newLineLog() *lineLog { return &lineLog{Logger: logging.NewNopLogger()} }

func (l *lineLog) WithValues(...any) logging.Logger { return l }

func (l *lineLog) Info(msg string, _ ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, msg)
}

func (l *lineLog) Debug(msg string, _ ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.debug = append(l.debug, msg)
}

// debugged returns how many of the other lines have a text in them.
func (l *lineLog) debugged(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.debug {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// count returns how many lines have a text in them.
func (l *lineLog) count(text string) int {
	n := 0
	for _, line := range l.all() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (l *lineLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}
