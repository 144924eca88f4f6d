// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

func TestRefFor(t *testing.T) {
	t.Parallel()
	if got, want := RefFor("ns", v1alpha1.ClusterProviderConfigKind, "a"), (Ref{Kind: "ClusterProviderConfig", Name: "a"}); got != want {
		t.Errorf("a ClusterProviderConfig has no namespace: %+v", got)
	}
	if got, want := RefFor("ns", v1alpha1.ProviderConfigKind, "a"), (Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "a"}); got != want {
		t.Errorf("a ProviderConfig is in the namespace of what uses it: %+v", got)
	}
	if got := (Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "a"}).String(); got != `ProviderConfig "a"` {
		t.Errorf("it is called %s", got)
	}
}

var ref = Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: "a"}

func serverAt(url string) group.Config {
	return group.Config{Interval: time.Second, Servers: []group.ServerConfig{{Name: "kea1", Kea: kea.Config{URL: url, Timeout: time.Minute}}}}
}

// listen counts how often everybody was woken.
func listen(c *Connections) *atomic.Int64 {
	n := &atomic.Int64{}
	c.Listen(func(r Ref, t mirror.Changes) {
		if r == ref && t.Everything {
			n.Add(1)
		}
	})
	return n
}

// TestConnectionsTell: users hear of each change once, and of nothing that they
// have heard.
func TestConnectionsTell(t *testing.T) {
	t.Parallel()
	c := NewConnections()
	told := listen(c)
	for i, step := range []struct {
		what string
		do   func()
		want int64
	}{
		{"a failure", func() { c.fail(ref, errors.New("no Secret")) }, 1},
		{"the same again", func() { c.fail(ref, errors.New("no Secret")) }, 1},
		{"another", func() { c.fail(ref, errors.New("no key")) }, 2},
		{"it is gone", func() { c.set(ref, nil) }, 3},
	} {
		step.do()
		if got := told.Load(); got != step.want {
			t.Errorf("step %d, %s: told %d times, want %d", i, step.what, got, step.want)
		}
	}
}

// TestConnectionsWait: who asks before a configuration was read gets the answer
// when it was, or the end of its own context.
func TestConnectionsWait(t *testing.T) {
	t.Parallel()
	c := NewConnections()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Group(ctx, ref); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := c.Group(t.Context(), ref)
		got <- err
	}()
	c.fail(Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "a"}, errors.New("of another"))
	want := errors.New("no Secret")
	c.fail(ref, want)
	if err := <-got; !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// TestConnectionsReplace: the same configuration keeps its group, another one
// replaces it, and the one that is replaced stops at once, in the midst of a
// command.
func TestConnectionsReplace(t *testing.T) {
	t.Parallel()
	asked, left := make(chan struct{}, 10), make(chan struct{}, 10)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The server sees the client go once the body is read.
		_, _ = r.Body.Read(make([]byte, 1<<10))
		asked <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	}))
	defer hangs.Close()
	c := NewConnections()
	told := listen(c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	open := func(fingerprint string) *group.Group {
		t.Helper()
		g, err := c.open(ctx, ref, serverAt(hangs.URL), fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Group(ctx, ref); got != g || err != nil {
			t.Fatalf("users get %p and %v, want %p", got, err, g)
		}
		return g
	}
	first := open("a")
	<-asked
	if again := open("a"); again != first || told.Load() != 1 {
		t.Errorf("the same configuration made another group, or woke everybody: %d times", told.Load())
	}
	second := open("b")
	<-left
	<-asked
	if second == first {
		t.Error("another configuration kept the group")
	}
	c.fail(ref, errors.New("no Secret"))
	<-left
	open("b")
	<-asked
	c.set(ref, nil)
	<-left
	open("c")
	<-asked
	cancel() // as the manager stops
	<-left
}

// TestConnectionsInvalid: a configuration that no client can be made of is an
// error to its users.
func TestConnectionsInvalid(t *testing.T) {
	t.Parallel()
	c := NewConnections()
	_, err := c.open(t.Context(), ref, serverAt("ftp://kea"), "a")
	if _, uerr := c.Group(t.Context(), ref); err == nil || uerr == nil || uerr.Error() != err.Error() {
		t.Errorf("got %v, users get %v", err, uerr)
	}
}
