// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"context"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

func (s *server) kill() { s.Kill() }

func (s *server) start() error {
	if !s.Ended() {
		return nil
	}
	return s.TryStart()
}

func (s *server) freeze() {
	if !s.Ended() { // A part of a history may lack the start.
		s.Hang(s.t)
	}
}

func (s *server) thaw() {
	if !s.Ended() {
		s.Resume(s.t)
	}
}

// database is a database server. The PostgreSQL is no freezer, as it has a process for each client.
type database struct {
	t     testing.TB
	begin func(testing.TB)
	end   func()
	down  bool
}

func (d *database) kill() {
	d.end()
	d.down = true
}

func (d *database) start() error {
	if d.down {
		d.begin(d.t)
		d.down = false
	}
	return nil
}

// mysql is the MariaDB.
type mysql struct {
	database

	server *testenv.MariaDB
}

func (m *mysql) freeze() { m.server.Hang() }
func (m *mysql) thaw()   { m.server.Resume() }

// webhook is one that the API server asks about each write of a KeaReservation, also a user's. When
// it is "killed" it is configured and does not answer, so that each is refused.
type webhook struct{ client client.Client }

func (h *webhook) kill() {
	ctx, cancel := context.WithTimeout(context.Background(), aMoment)
	defer cancel()
	fail, none, url := admissionv1.Fail, admissionv1.SideEffectClassNone, "https://127.0.0.1:1"
	_ = h.client.Create(ctx, &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "chaos"},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "chaos.example.org", ClientConfig: admissionv1.WebhookClientConfig{URL: &url},
			FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.OperationAll},
				Rule:       admissionv1.Rule{APIGroups: []string{v1alpha1.Group}, APIVersions: []string{"*"}, Resources: []string{"keareservations", "keareservations/status"}},
			}},
		}},
	}) // The API server may be away.
}

func (h *webhook) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), aMoment)
	defer cancel()
	_ = h.remove(ctx) // As above. It is tried again in the end.
	return nil
}

func (h *webhook) remove(ctx context.Context) error {
	return client.IgnoreNotFound(h.client.Delete(ctx, &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "chaos"}}))
}
