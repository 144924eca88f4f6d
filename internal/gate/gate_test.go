// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/google/go-cmp/cmp"
	authv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
)

var mayGet = May("get", schema.GroupResource{Resource: "namespaces"})

// reviews answers as an API server does.
type reviews struct {
	authclient.SelfSubjectAccessReviewInterface

	mu      sync.Mutex
	refuses bool
	err     error
}

// set what is answered from now on.
func (r *reviews) set(refuses bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses, r.err = refuses, err
}

func (r *reviews) Create(_ context.Context, review *authv1.SelfSubjectAccessReview, _ metav1.CreateOptions) (*authv1.SelfSubjectAccessReview, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	review.Status.Allowed = !r.refuses
	return review, r.err
}

// runGate runs a gate with a part for a while.
func runGate(t *testing.T, p Part) (*lines, *reviews) {
	t.Helper()
	log, answers := &lines{Logger: logging.NewNopLogger()}, &reviews{}
	g := &Gate{options: Options{Announce: func(string) {}, AskEvery: askEvery}, log: log, ask: make(chan struct{}, 1), changed: make(chan struct{})}
	g.clients.access = &access{reviews: answers}
	g.AddWhileServed(p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- g.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return log, answers
}

// after lets some time go by.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestPartFails: a part that fails is run again, when it may be.
func TestPartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := make(chan error)
		log, answers := runGate(t, Part{
			Name: "machines",
			Need: Need{Permissions: []Permission{mayGet}},
			Run: func(ctx context.Context, _ CRDs) error {
				select {
				case err := <-fail:
					return err
				case <-ctx.Done():
					return nil
				}
			},
		})
		const serving = "Serving machines"
		want := []string{serving}
		expect := func(reason string, more ...string) {
			t.Helper()
			synctest.Wait()
			want = append(want, more...)
			if diff := cmp.Diff(want, log.all()); diff != "" {
				t.Errorf("%s\nlog: -want, +got:\n%s", reason, diff)
			}
		}
		expect("A part runs that may.")

		fail <- errors.New("boom")
		expect("Why it failed is logged.", serving+" failed, trying again: boom")
		after(2 * askEvery)
		expect("It is run again.", serving)

		fail <- &meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: "Machine"}}
		after(time.Second)
		expect("A kind that is not known yet is waited for.", serving+` is waiting: no matches for kind "Machine" in group ""`)
		fail <- &meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: "Machine"}}
		after(time.Second)
		expect("That is logged once.")

		answers.set(true, nil)
		fail <- errors.New("forbidden")
		after(4 * askEvery)
		expect("Without its permission it is not run.",
			serving+" failed, trying again: forbidden", "Missing permissions: get namespaces: "+ApplyClusterRole)
		answers.set(false, nil)
		after(2 * askEvery)
		expect("It is run when it may.", serving)

		for range 5 {
			fail <- errors.New("boom")
			after(2 * askEvery)
		}
		expect("What fails for hours is logged once.", serving+" failed, trying again: boom", serving)
	})
}

// TestAddOnce: a part that only starts something is not run again.
func TestAddOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		log, _ := runGate(t, Part{Name: "machines", once: true, Run: func(context.Context, CRDs) error {
			if runs++; runs == 1 {
				return errors.New("boom")
			}
			return nil
		}})
		after(time.Hour)
		want := []string{"Serving machines", "Serving machines failed, trying again: boom", "Serving machines"}
		if diff := cmp.Diff(want, log.all()); diff != "" {
			t.Errorf("log: -want, +got:\n%s", diff)
		}
	})
}

// TestRevoked: a permission that is taken away while its part runs is reported.
func TestRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, answers := runGate(t, Part{
			Name: "machines",
			Need: Need{Permissions: []Permission{mayGet}},
			Run:  func(ctx context.Context, _ CRDs) error { <-ctx.Done(); return nil },
		})
		const lacks = "Missing permissions: get namespaces: " + ApplyClusterRole
		want := []string{"Serving machines"}
		for range 2 {
			after(time.Hour)
			answers.set(true, nil)
			after(2 * calmFactor * askEvery)
			want = append(want, lacks)
			if diff := cmp.Diff(want, log.all()); diff != "" {
				t.Fatalf("log: -want, +got:\n%s", diff)
			}
			answers.set(false, nil)
		}
		after(time.Hour)
		answers.set(false, errors.New("refused"))
		after(time.Hour)
		want = append(want, "Cannot review permissions: cannot ask whether the provider may get namespaces: refused")
		if diff := cmp.Diff(want, log.all()); diff != "" {
			t.Errorf("log: -want, +got:\n%s", diff)
		}
	})
}
