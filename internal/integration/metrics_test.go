// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// scrapeInterval is the least time between two scrapes: a scrape of a provider that all tests share
// costs what many a test costs.
const scrapeInterval = 200 * time.Millisecond

// sentCommand is a command to a server of a provider configuration.
type sentCommand struct{ config, server, command string }

// commandCounts is what the provider's metrics tell of the commands that it has sent. Tests that
// ask at the same time share a scrape.
type commandCounts struct {
	sync.Mutex

	begun  time.Time
	counts map[sentCommand]int
}

// commands counts the commands that the provider has sent, at a moment after the call.
func (p *provider) commands(ctx context.Context) (map[sentCommand]int, error) {
	asked := time.Now()
	c := &p.counts
	c.Lock()
	defer c.Unlock()
	if c.begun.After(asked) {
		return c.counts, nil
	}
	pause(ctx, time.Until(c.begun.Add(scrapeInterval)))
	begun := time.Now()
	text, err := get(ctx, "http://"+p.metrics+"/metrics")
	if err != nil {
		return nil, fmt.Errorf("cannot read the provider's metrics: %w", err)
	}
	c.begun, c.counts = begun, countsOf(text)
	return c.counts, nil
}

// countsOf adds up the commands in metrics, whatever became of them.
func countsOf(text string) map[sentCommand]int {
	out := map[sentCommand]int{}
	for line := range strings.Lines(text) {
		labels, ok := strings.CutPrefix(line, "provider_kea_command_duration_seconds_count{")
		if !ok {
			continue
		}
		labels, value, _ := strings.Cut(labels, "} ")
		var k sentCommand
		for label := range strings.SplitSeq(labels, ",") {
			switch name, v, _ := strings.Cut(label, "="); name {
			case "config":
				k.config = strings.Trim(v, `"`)
			case "server":
				k.server = strings.Trim(v, `"`)
			case "command":
				k.command = strings.Trim(v, `"`)
			}
		}
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
			out[k] += n
		}
	}
	return out
}
