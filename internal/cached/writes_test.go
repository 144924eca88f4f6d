// SPDX-License-Identifier: Apache-2.0

package cached_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/internal/cached"
)

func version(v string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", ResourceVersion: v}}
}

// lagging is a cache that gets a version of an object after a while, or loses the object. It is to be
// read without copies.
type lagging struct {
	client.Reader

	at      time.Time
	version string // empty if it is gone
}

func (c lagging) Get(_ context.Context, _ client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	switch {
	case !slices.Contains(opts, client.GetOption(client.UnsafeDisableDeepCopy)):
		return errors.New("it is read with other options than asked for")
	case time.Now().Before(c.at):
		o.SetResourceVersion("999")
	case c.version == "":
		return kerrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "a")
	default:
		o.SetResourceVersion(c.version)
	}
	return nil
}

// TestGet: nothing begins with an older version of an object than the provider wrote.
func TestGet(t *testing.T) {
	t.Parallel()
	const never = time.Hour
	cases := map[string]struct {
		reason string
		// written is the version of the last write, which was some time ago.
		written string
		ago     time.Duration
		// The cache has version 999, and after a while another one.
		after time.Duration
		gets  string
		want  string // the version that is begun with
		gone  bool
		late  bool
	}{
		"NotWritten":  {reason: "Nothing is waited for.", after: never, want: "999"},
		"There":       {reason: "The write is there.", written: "999", after: never, want: "999"},
		"Other":       {reason: "So is another client's after it.", written: "998", after: never, want: "999"},
		"Soon":        {reason: "The cache gets it in a moment.", written: "1000", after: 20 * time.Millisecond, gets: "1000", want: "1000"},
		"SoonOther":   {reason: "Or another client's after it.", written: "1000", after: 20 * time.Millisecond, gets: "1003", want: "1003"},
		"SoonGone":    {reason: "Or it is gone.", written: "1000", after: 20 * time.Millisecond, gone: true},
		"Late":        {reason: "If it takes long, others have their turn.", written: "1000", after: never, late: true},
		"Lost":        {reason: "What never comes was lost with the API server's data.", written: "1000", ago: 2 * time.Minute, after: never, want: "999"},
		"NotANumber":  {reason: "What is no number says nothing.", written: "x", after: never, want: "999"},
		"MoreDigits":  {reason: "Versions are numbers.", written: "1000", after: 20 * time.Millisecond, gets: "10000", want: "10000"},
		"FewerDigits": {reason: "Not texts.", written: "1000", after: 20 * time.Millisecond, gets: "998", late: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := cached.NewWrites()
				if tc.written != "" {
					w.Add(version(tc.written), nil)
				}
				time.Sleep(tc.ago) // in the bubble
				o := version("")
				cache := lagging{at: time.Now().Add(tc.after), version: tc.gets}
				err := w.Get(t.Context(), cache, client.ObjectKeyFromObject(o), o, client.UnsafeDisableDeepCopy)
				switch {
				case tc.gone != kerrors.IsNotFound(err), tc.late != kerrors.IsConflict(err), (tc.gone || tc.late) != (err != nil):
					t.Errorf("%s\nGet(...): %v", tc.reason, err)
				case err == nil && o.ResourceVersion != tc.want:
					t.Errorf("%s\nGet(...): version %s, want %s", tc.reason, o.ResourceVersion, tc.want)
				}
			})
		})
	}
}

// TestSeveralWriters: controllers that write one object record that in any order, and look at it with
// caches that have different versions of it.
func TestSeveralWriters(t *testing.T) {
	t.Parallel()
	w := cached.NewWrites()
	w.Add(version("1001"), nil)
	w.Add(version("1000"), nil)
	for _, of := range []struct {
		version string
		newer   bool
	}{{"1000", true}, {"1001", false}, {"999", true}, {"1002", false}, {"1000", true}} {
		if got := w.NewerThan(version(of.version)); got != of.newer {
			t.Errorf("NewerThan(%s): %t, want %t", of.version, got, of.newer)
		}
	}
}

// TestWritesAreDropped: what was written long ago is not kept.
func TestWritesAreDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := cached.NewWrites()
		for i := range 100 {
			o := version("1000")
			o.Name = strconv.Itoa(i)
			w.Add(o, nil)
		}
		time.Sleep(time.Minute) // in the bubble
		w.Add(version("1001"), nil)
		if got := w.Len(); got != 1 {
			t.Errorf("%d writes are kept, want 1", got)
		}
	})
}

// TestFailedWrites: what is known of a write that failed.
func TestFailedWrites(t *testing.T) {
	t.Parallel()
	configMaps := schema.GroupResource{Resource: "configmaps"}
	cases := map[string]struct {
		reason  string
		err     error
		unknown bool
	}{
		"Lost":      {reason: "It may have been carried out.", err: errors.New("connection reset"), unknown: true},
		"Timeout":   {reason: "So it may, whoever says that there was no time.", err: kerrors.NewTimeoutError("etcd", 1), unknown: true},
		"Internal":  {reason: "Or what else happened.", err: kerrors.NewInternalError(errors.New("etcd")), unknown: true},
		"Conflict":  {reason: "What was refused was not.", err: kerrors.NewConflict(configMaps, "a", errors.New("changed"))},
		"Gone":      {reason: "Nor what there is no object for.", err: kerrors.NewNotFound(configMaps, "a")},
		"Forbidden": {reason: "Nor what is not permitted.", err: kerrors.NewForbidden(configMaps, "a", errors.New("no"))},
		"TooMany":   {reason: "Nor what is to come later.", err: kerrors.NewTooManyRequests("later", 1)},
		"Wrapped":   {reason: "However that is said.", err: fmt.Errorf("cannot: %w", kerrors.NewForbidden(configMaps, "a", errors.New("no")))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, o := cached.NewWrites(), version("999")
			w.Add(o, tc.err)
			if got := w.IsUnknown(client.ObjectKeyFromObject(o)); got != tc.unknown {
				t.Errorf("%s\nIsUnknown(...): %t", tc.reason, got)
			}
			w.Add(o, nil)
			if w.IsUnknown(client.ObjectKeyFromObject(o)) {
				t.Error("IsUnknown(...) after a write without an error: true")
			}
		})
	}
}

// TestForget: what is known of an object does not outlive it.
func TestForget(t *testing.T) {
	t.Parallel()
	w, o := cached.NewWrites(), version("1000")
	w.Add(o, nil)
	w.Add(o, errors.New("timeout"))
	old := version("999")
	if !w.NewerThan(old) || !w.IsUnknown(client.ObjectKeyFromObject(old)) {
		t.Error("the write is not known")
	}
	w.Forget(client.ObjectKeyFromObject(old))
	if w.NewerThan(old) || w.IsUnknown(client.ObjectKeyFromObject(old)) {
		t.Error("the write is still known")
	}
}
