// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestPollInterval: crossplane.io/poll-interval is honored, whatever the provider's own is: here it is
// a day.
func TestPollInterval(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.awaitFollowUps(r)
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Annotations["crossplane.io/poll-interval"] = "10s" })
	s.awaitReconciles("vm01", 4) // More than follow an edit.
}

// TestReconcileRequest: crossplane.io/reconcile-requested-at has a resource
// looked at, and its status tells that it was.
func TestReconcileRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	for _, token := range []string{"first", "second"} {
		edit(s, r, func(r *v1alpha1.KeaReservation) { r.Annotations[meta.AnnotationKeyReconcileRequestedAt] = token })
		s.awaitHandled(r, token)
	}
	s.await(r, isReady, isSynced)
}

// awaitHandled waits until the status says that a request for a reconcile was handled.
func (s *site) awaitHandled(r *v1alpha1.KeaReservation, token string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "the request to be handled", func(ctx context.Context) error {
		err := shared.client.Get(ctx, client.ObjectKeyFromObject(r), r)
		if err == nil && r.Status.LastHandledReconcileAt != token {
			err = fmt.Errorf("status.lastHandledReconcileAt is %q", r.Status.LastHandledReconcileAt)
		}
		return err
	})
}
