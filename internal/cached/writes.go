// SPDX-License-Identifier: Apache-2.0

package cached

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Writes has the version that each object of a kind got by the provider's last write of it, for as long
// as the cache may lack that. A reconcile that began with an older one would be refused what it writes,
// or would take a status for written that has been replaced since. Its methods may be called by several
// goroutines at once, of several controllers, too.
type Writes struct {
	mu sync.Mutex // guards what follows
	of map[types.NamespacedName]write
	// swept is when the writes that are too old to matter were last dropped: most objects are not
	// looked at again soon.
	swept time.Time
	// unknown has the objects whose last write may have been carried out, although it failed.
	unknown map[types.NamespacedName]bool
}

type write struct {
	version string
	at      time.Time
}

// poll is how often the cache is read until it has the provider's last write of an object, and lag how
// long, before other objects have their turn.
const (
	poll = 5 * time.Millisecond
	lag  = time.Second
)

// maxLag is how long the cache is waited for in all: a version that never comes is that of an API
// server with its data restored from an older backup.
const maxLag = time.Minute

// NewWrites returns a Writes without any.
func NewWrites() *Writes {
	return &Writes{of: map[types.NamespacedName]write{}, unknown: map[types.NamespacedName]bool{}}
}

// Add records a write of an object, which has the version of the answer, and the error that it had.
func (w *Writes) Add(o client.Object, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := client.ObjectKeyFromObject(o)
	switch {
	case err == nil:
		w.sweep()
		// Another controller's later write of the same object may have been recorded first.
		if !w.newerThan(k, o.GetResourceVersion()) {
			w.of[k] = write{version: o.GetResourceVersion(), at: time.Now()}
		}
		delete(w.unknown, k)
	case !refused(err):
		w.unknown[k] = true
	}
}

// refused reports whether a write was certainly not carried out.
func refused(err error) bool {
	var status kerrors.APIStatus
	return errors.As(err, &status) && status.Status().Code >= http.StatusBadRequest && status.Status().Code < http.StatusInternalServerError
}

// sweep drops the writes that the cache is not waited for any longer, now and then.
func (w *Writes) sweep() {
	if time.Since(w.swept) < maxLag {
		return
	}
	w.swept = time.Now()
	maps.DeleteFunc(w.of, func(_ types.NamespacedName, of write) bool { return time.Since(of.at) >= maxLag })
}

// Get reads an object from the cache, once that has the provider's last write of it, which takes a few
// milliseconds. It returns an error for which kerrors.IsConflict is true if that takes long. What is not
// there is forgotten.
func (w *Writes) Get(ctx context.Context, cache client.Reader, k types.NamespacedName, o client.Object, options ...client.GetOption) error {
	err := wait.PollUntilContextTimeout(ctx, poll, lag, true, func(ctx context.Context) (bool, error) {
		if err := cache.Get(ctx, k, o, options...); err != nil {
			return false, err //nolint:wrapcheck // The caller says what was read.
		}
		return !w.NewerThan(o), nil
	})
	switch {
	case kerrors.IsNotFound(err):
		w.Forget(k)
	case wait.Interrupted(err):
		return kerrors.NewConflict(schema.GroupResource{Resource: "objects"}, k.Name, errBehind)
	}
	return err //nolint:wrapcheck // As above.
}

var errBehind = errors.New("the cache does not have the provider's last write yet")

// IsUnknown reports whether the last write of an object may have been carried out, although it failed.
func (w *Writes) IsUnknown(k types.NamespacedName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unknown[k]
}

// NewerThan reports whether the provider's last write of an object is not in what the cache has of it.
func (w *Writes) NewerThan(cached client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newerThan(client.ObjectKeyFromObject(cached), cached.GetResourceVersion())
}

func (w *Writes) newerThan(k types.NamespacedName, version string) bool {
	last, ok := w.of[k]
	if !ok || time.Since(last.at) >= maxLag {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(version, last.version)
	return err == nil && order < 0
}

// Forget drops what is known of an object that is gone, or that another process writes from now on.
func (w *Writes) Forget(k types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.of, k)
	delete(w.unknown, k)
}
