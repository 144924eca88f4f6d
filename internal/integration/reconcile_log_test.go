// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// reconcileLog counts how often a provider has looked at each KeaReservation, as its log tells:
// controller_runtime_reconcile_total has those of all tests. It reads what it has not read before.
type reconcileLog struct {
	sync.Mutex

	read   int64 // bytes
	counts map[types.NamespacedName]int
}

// reconciles counts how often the provider has looked at a KeaReservation.
func (p *provider) reconciles(of types.NamespacedName) (int, error) {
	l := &p.reconciled
	l.Lock()
	defer l.Unlock()
	f, err := os.Open(p.logFile)
	if err != nil {
		return 0, fmt.Errorf("cannot read the provider's log: %w", err)
	}
	defer func() { _ = f.Close() }()
	added, err := io.ReadAll(io.NewSectionReader(f, l.read, math.MaxInt64-l.read))
	if err != nil {
		return 0, fmt.Errorf("cannot read the provider's log: %w", err)
	}
	added = added[:bytes.LastIndexByte(added, '\n')+1]
	for line := range bytes.Lines(added) {
		l.add(line)
	}
	l.read += int64(len(added))
	return l.counts[of], nil
}

// add counts a line of the log, if it tells of a reconcile.
func (l *reconcileLog) add(line []byte) {
	var told struct {
		Controller string               `json:"controller"`
		Request    types.NamespacedName `json:"request"`
	}
	if !bytes.Contains(line, []byte(`"Reconciling"`)) || json.Unmarshal(line, &told) != nil || !strings.HasPrefix(told.Controller, "managed/") {
		return
	}
	if l.counts == nil {
		l.counts = map[types.NamespacedName]int{}
	}
	l.counts[told.Request]++
}

// reconciles counts how often the site's provider has looked at a KeaReservation.
func (s *site) reconciles(name string) int {
	s.t.Helper()
	n, err := s.provider.reconciles(s.key(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
