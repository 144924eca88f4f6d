// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is one line of a program's Prometheus metrics.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

var (
	sampleLine  = regexp.MustCompile(`^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$`)
	sampleLabel = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// samples returns the metrics of these names in a program's text.
func samples(text string, names ...string) []sample {
	var out []sample
	for line := range strings.Lines(text) {
		if !hasAnyPrefix(line, names) {
			continue
		}
		m := sampleLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		s := sample{name: m[1], labels: map[string]string{}, value: v}
		for _, l := range sampleLabel.FindAllStringSubmatch(m[2], -1) {
			s.labels[l[1]] = l[2]
		}
		out = append(out, s)
	}
	return out
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// get returns the body that a URL has; another status than 200 is an error.
func get(ctx context.Context, c *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("cannot ask %s: %w", url, err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", fmt.Errorf("cannot ask %s: %w", url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", url, err)
	}
	return string(b), nil
}

func TestSamples(t *testing.T) {
	text := "# HELP apiserver_request_total x\n" +
		`apiserver_request_total{code="200",group="",verb="PATCH"} 3` + "\n" +
		`process_cpu_seconds_total 1.5e+01` + "\n" +
		`other{a="b"} 7` + "\n"
	want := []sample{
		{"apiserver_request_total", map[string]string{"code": "200", "group": "", "verb": "PATCH"}, 3},
		{"process_cpu_seconds_total", map[string]string{}, 15},
	}
	got := samples(text, "apiserver_request_total", "process_cpu")
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("samples(): -want, +got:\n%s", diff)
	}
}
