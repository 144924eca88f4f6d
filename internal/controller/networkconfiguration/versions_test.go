// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// followVersions changes the versions of NetworkNamespaces under a running controller, and then
// breaks the conversion between them.
func followVersions(s *site, plane *testenv.ControlPlane, log *lineLog, nn *vitistack.NetworkNamespace, nc *vitistack.NetworkConfiguration) {
	s.Helper()
	child := s.child(nc, "02:00:00:00:50:01")
	hook := newConversionWebhook(s.T)

	// Objects that are stored in the old version are converted to the new one.
	hook.install(s.T, plane, func(*extv1.CustomResourceDefinition) {})
	s.kube = newClient(s.T, plane.Config, "v1alpha2")
	s.change(nn, func() { nn.Status.ProvisioningPhase = "Pending" })
	s.phase(nc, vitistack.PhaseReconciling, "waiting for NetworkNamespace net to be provisioned: its status.provisioningPhase is Pending", "reserved in Kea: 1 of 1")
	late := s.machine("late", []string{"02:00:00:00:50:03"})
	s.phase(late, vitistack.PhaseReconciling, "its status.provisioningPhase is Pending")
	s.change(nn, func() { nn.Status.ProvisioningPhase = "Ready" }) // from now on it is stored in the new one
	s.phase(nc, vitistack.PhaseReady)
	s.serve(late, map[string]string{"02:00:00:00:50:03": "10.50.0.7"})

	// Only the old version is served.
	oldOnly := func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions[1].Served = false }
	hook.install(s.T, plane, oldOnly)
	s.kube = newClient(s.T, plane.Config, "v1alpha1")
	s.change(nn, func() { nn.Status.ProvisioningPhase = "Error" })
	s.phase(nc, vitistack.PhaseReconciling, "its status.provisioningPhase is Error", "reserved in Kea: 1 of 1")
	s.change(nn, func() { nn.Status.ProvisioningPhase = "Ready" })
	s.phase(nc, vitistack.PhaseReady)

	// The webhook is down when the controller starts with the changed CRD: no NetworkNamespace can
	// be read, which must not look as if there were none.
	const cannotRead, canRead = "Cannot read networknamespaces", "Can read networknamespaces again"
	hook.down.Store(true)
	hook.install(s.T, plane, func(crd *extv1.CustomResourceDefinition) {
		oldOnly(crd)
		crd.Spec.Names.Categories = []string{"changed"}
	})
	s.says(log, cannotRead, 1)
	attempts := log.debugged(cannotRead)
	later := s.machine("later", []string{"02:00:00:00:50:04"})
	s.eventually("more attempts to read", func() error {
		if log.debugged(cannotRead) < attempts+2 {
			return errors.New("there were none")
		}
		return nil
	})
	s.same("KeaReservation", child.UID, s.child(nc, "02:00:00:00:50:01").UID)
	s.says(log, cannotRead, 1)
	hook.down.Store(false)
	s.says(log, canRead, 1)
	s.serve(later, map[string]string{"02:00:00:00:50:04": "10.50.0.8"})
	s.phase(nc, vitistack.PhaseReady)
	s.same("KeaReservation", child.UID, s.child(nc, "02:00:00:00:50:01").UID)

	// What is stored in the new version is read without the webhook.
	hook.down.Store(true)
	hook.install(s.T, plane, func(*extv1.CustomResourceDefinition) {})
	s.kube = newClient(s.T, plane.Config, "v1alpha2")
	s.change(nn, func() { nn.Status.ProvisioningPhase = "Pending" })
	s.phase(nc, vitistack.PhaseReconciling, "its status.provisioningPhase is Pending")
	s.change(nn, func() { nn.Status.ProvisioningPhase = "Ready" })
	s.phase(nc, vitistack.PhaseReady)
}

// A conversionWebhook converts NetworkNamespaces between versions, while it is not down.
type conversionWebhook struct {
	*httptest.Server

	down atomic.Bool
}

func newConversionWebhook(t *testing.T) *conversionWebhook {
	t.Helper()
	h := &conversionWebhook{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(h.convert))
	t.Cleanup(h.Close)
	return h
}

func (h *conversionWebhook) convert(w http.ResponseWriter, r *http.Request) {
	if h.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	review := &extv1.ConversionReview{}
	if err := json.NewDecoder(r.Body).Decode(review); err != nil || review.Request == nil {
		http.Error(w, "this is no ConversionReview", http.StatusBadRequest)
		return
	}
	review.Response = &extv1.ConversionResponse{UID: review.Request.UID, Result: metav1.Status{Status: metav1.StatusSuccess}}
	for _, o := range review.Request.Objects {
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(o.Raw, &u.Object); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		u.SetAPIVersion(review.Request.DesiredAPIVersion)
		o.Object, o.Raw = u, nil
		review.Response.ConvertedObjects = append(review.Response.ConvertedObjects, o)
	}
	review.Request = nil
	if err := json.NewEncoder(w).Encode(review); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// install brings the CRDs to release v1.0.0, changed and with this webhook.
func (h *conversionWebhook) install(t *testing.T, plane *testenv.ControlPlane, change func(*extv1.CustomResourceDefinition)) {
	t.Helper()
	o := envtest.CRDInstallOptions{Paths: v1.crds(t)}
	if err := envtest.ReadCRDFiles(&o); err != nil {
		t.Fatal(err)
	}
	url := h.URL + "/convert"
	for _, crd := range o.CRDs {
		if !strings.HasPrefix(crd.Name, "networknamespaces.") {
			continue
		}
		crd.Spec.Conversion.Webhook.ClientConfig = &extv1.WebhookClientConfig{
			URL: &url, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}),
		}
		change(crd)
	}
	if _, err := envtest.InstallCRDs(plane.Config, envtest.CRDInstallOptions{CRDs: o.CRDs, MaxTime: patience}); err != nil {
		t.Fatal(err)
	}
}
