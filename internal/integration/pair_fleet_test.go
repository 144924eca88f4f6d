// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// This file looks at all KeaReservations of a site at once.

// versions returns KeaReservations as they are, with their resourceVersion, by name: all of the site, or
// those named.
func (s *site) versions(of ...*v1alpha1.KeaReservation) map[string]string {
	s.t.Helper()
	l := &v1alpha1.KeaReservationList{}
	if err := s.client.List(s.t.Context(), l, client.InNamespace(s.namespace)); err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range l.Items {
		if len(of) == 0 || slices.ContainsFunc(of, func(o *v1alpha1.KeaReservation) bool { return o.Name == r.Name }) {
			out[r.Name] = text(s.t, &r)
		}
	}
	return out
}

// text is a KeaReservation as a text, a field in each line.
func text(t testing.TB, r *v1alpha1.KeaReservation) string {
	t.Helper()
	r.ManagedFields = nil
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkVersions makes sure that none of these KeaReservations was written to.
func (s *site) checkVersions(during string, before map[string]string) {
	s.t.Helper()
	now, written, diff := s.versions(), 0, ""
	for name, was := range before {
		if now[name] != was {
			written, diff = written+1, cmp.Diff(was, now[name])
		}
	}
	if written > 0 {
		s.t.Errorf("%s, %d of %d KeaReservations were written to that need nothing, one of them so, -before, +now:\n%s", during, written, len(before), diff)
	}
}

// awaitEach waits until check finds each of these KeaReservations as wanted. It lists them: to read
// a hundred one by one takes longer than what is waited for.
func (s *site) awaitEach(what string, rs []*v1alpha1.KeaReservation, check func(*v1alpha1.KeaReservation) error) {
	s.t.Helper()
	testenv.Eventually(s.t, max(within, s.patience), what, func(ctx context.Context) error {
		l := &v1alpha1.KeaReservationList{}
		if err := s.client.List(ctx, l, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		found := map[string]*v1alpha1.KeaReservation{}
		for i := range l.Items {
			found[l.Items[i].Name] = &l.Items[i]
		}
		var errs []error
		for _, r := range rs {
			if found[r.Name] == nil {
				errs = append(errs, errors.New(r.Name+" is not there"))
			} else if err := check(found[r.Name]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.Name, err))
			}
		}
		if len(errs) > 0 {
			return fmt.Errorf("%d of %d are not so, the first: %w", len(errs), len(rs), errs[0])
		}
		return nil
	})
}

// has checks the conditions of a KeaReservation.
func has(want ...is) func(*v1alpha1.KeaReservation) error {
	return func(r *v1alpha1.KeaReservation) error { return differs(r, want) }
}

// awaitFollowUps waits until nothing is due for KeaReservations any more: neither what follows a create, nor
// what is tried again later, for which a busy machine gives reason. Each is asked to be looked at, and what
// was due becomes part of that.
func (s *site) awaitFollowUps(rs ...*v1alpha1.KeaReservation) {
	s.t.Helper()
	const requested = meta.AnnotationKeyReconcileRequestedAt
	for _, r := range rs {
		edit(s, r, func(r *v1alpha1.KeaReservation) {
			metav1.SetMetaDataAnnotation(&r.ObjectMeta, requested, r.ResourceVersion)
		})
	}
	s.awaitEach("to be looked at", rs, func(r *v1alpha1.KeaReservation) error {
		if r.Status.LastHandledReconcileAt != r.Annotations[requested] {
			return fmt.Errorf("status.lastHandledReconcileAt is %q", r.Status.LastHandledReconcileAt)
		}
		return nil
	})
}

// settle waits until nothing is done for the KeaReservations of the site any more, and nothing is due.
func (s *site) settle() {
	s.t.Helper()
	l := &v1alpha1.KeaReservationList{}
	if err := s.client.List(s.t.Context(), l, client.InNamespace(s.namespace)); err != nil {
		s.t.Fatal(err)
	}
	var all []*v1alpha1.KeaReservation
	for i := range l.Items {
		all = append(all, &l.Items[i])
	}
	s.awaitFollowUps(all...)
	s.awaitStill()
}

// awaitStill waits until KeaReservations are not written to any more, all of the site or those named: what
// has just been done may wake a resource once more, and what was written to Kea is reported a moment later.
func (s *site) awaitStill(of ...*v1alpha1.KeaReservation) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "the KeaReservations to be written to no more", func(context.Context) error {
		before := s.versions(of...)
		s.awaitSnapshots(2)
		if !maps.Equal(before, s.versions(of...)) {
			return errors.New("some were written to during the last snapshot")
		}
		return nil
	})
}
