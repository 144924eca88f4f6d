// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadFailures(t *testing.T) {
	const (
		down   = `{"kind": "Status", "message": "conversion webhook failed"}`
		cannot = "Cannot read networknamespaces: what is reserved stays, and it is tried again"
		again  = "Can read networknamespaces again"
	)
	steps := []struct {
		reason   string
		after    time.Duration
		resource string
		code     int
		want     string
	}{
		{"What works is not worth a line", 0, "networknamespaces", 200, ""},
		{"An API server takes a moment to serve a CRD that has changed", time.Second, "networknamespaces", 429, ""},
		{"That passes", time.Second, "networknamespaces", 200, ""},
		{"An outage may be such a moment", time.Second, "networknamespaces", 429, ""},
		{"Each resource has its own", 10 * time.Second, "networkconfigurations", 500, ""},
		{"What lasts is logged", time.Second, "networknamespaces", 500, cannot},
		{"It is logged once", time.Second, "networknamespaces", 429, ""},
		{"However long it lasts", 24 * time.Hour, "networknamespaces", 500, ""},
		{"A watch that is too old is no answer to that", time.Second, "networknamespaces", 410, ""},
		{"Neither is a kind that is gone", time.Second, "networknamespaces", 404, ""},
		{"The end is logged", time.Second, "networknamespaces", 200, again},
		{"The next outage may be a moment", time.Second, "networknamespaces", 403, ""},
		{"The next outage is logged", time.Minute, "networknamespaces", 403, cannot},
	}
	log, now, code := newLineLog(), epoch, 0
	f := &readFailures{log: log, now: func() time.Time { return now }}
	client := f.observe(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(down))}, nil
	})})
	for _, s := range steps {
		before := len(log.all())
		now, code = now.Add(s.after), s.code
		resp, err := client.Get("https://example.com/apis/vitistack.io/v1alpha1/" + s.resource + "?watch=true")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); string(body) != down || err != nil {
			t.Errorf("%s\nthe answer is %q, %v", s.reason, body, err)
		}
		if diff := cmp.Diff(s.want, strings.Join(log.all()[before:], "\n")); diff != "" {
			t.Errorf("%s\nlog: -want, +got:\n%s", s.reason, diff)
		}
	}
}
