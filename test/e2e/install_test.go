// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/internal/testenv"
)

const (
	crossplaneNamespace = "crossplane-system"
	providerName        = "provider-kea"

	// The two builds that are installed one after the other.
	firstBuild  = "v0.0.1-e2e"
	secondBuild = "v0.0.2-e2e"
)

// push builds the package, pushes it, and returns the manifest that installs it:
// what somebody does who makes a release.
func (w *world) push(t *testing.T, version string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "push", "REGISTRY="+w.registry, "VERSION="+version)
	cmd.Dir = testenv.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot push the package: %v\n%s", err, out)
	}
	return file(t, "_output", "install.yaml")
}

// documents splits a manifest in two: those documents of which keep is true, and
// the rest.
func documents(manifest string, keep func(doc string) bool) (kept, rest string) {
	const separator = "\n---\n"
	all := strings.Split(manifest, separator)
	drop := func(doc string) bool { return !keep(doc) }
	return strings.Join(slices.DeleteFunc(slices.Clone(all), drop), separator), strings.Join(slices.DeleteFunc(all, keep), separator)
}

func isRole(doc string) bool { return strings.Contains(doc, "kind: ClusterRole") }

// awaitHealthy waits until a package is installed and runs.
func (w *world) awaitHealthy(t *testing.T) {
	t.Helper()
	for _, condition := range []string{"Installed", "Healthy"} {
		w.awaitCondition(t, provider, client.ObjectKey{Name: providerName}, condition, corev1.ConditionTrue)
	}
}

func installWithoutClusterRole(t *testing.T, w *world) {
	_, rest := documents(w.push(t, firstBuild), isRole)
	apply(t, rest)
	w.awaitHealthy(t)
	w.awaitEvent(t, 1, "apply the ClusterRole")
}

// awaitEvent waits until the provider has complained so many times in all, about
// its revision, and the last time with this in the message.
func (w *world) awaitEvent(t *testing.T, times int, message string) {
	t.Helper()
	testenv.Eventually(t, within, "an event about "+message, func(ctx context.Context) error {
		found, err := w.complaints(ctx)
		if err != nil {
			return err
		}
		said := 0
		for _, e := range found {
			said += int(e.Count)
		}
		if said != times || !slices.ContainsFunc(found, func(e corev1.Event) bool { return strings.Contains(e.Message, message) }) {
			return fmt.Errorf("there are %d: %v", said, found)
		}
		return nil
	})
}

// complaints are the warnings that the provider itself has sent about its
// revision.
func (w *world) complaints(ctx context.Context) ([]corev1.Event, error) {
	events := &corev1.EventList{}
	if err := w.client.List(ctx, events, client.InNamespace("default")); err != nil {
		return nil, err
	}
	var out []corev1.Event
	for _, e := range events.Items {
		if e.InvolvedObject.Kind == providerRevision.Kind && e.Source.Component == providerName && e.Type == corev1.EventTypeWarning {
			out = append(out, e)
		}
	}
	return out, nil
}

// thePod waits until the provider has one pod that is ready, and returns it.
func (w *world) thePod(t *testing.T) *corev1.Pod {
	t.Helper()
	pods := &corev1.PodList{}
	testenv.Eventually(t, 2*within, "the provider to have one pod that is ready", func(ctx context.Context) error {
		if err := w.client.List(ctx, pods, client.InNamespace(crossplaneNamespace), client.MatchingLabels{"pkg.crossplane.io/provider": providerName}); err != nil {
			return err
		}
		if len(pods.Items) != 1 {
			return fmt.Errorf("there are %d", len(pods.Items))
		}
		for _, c := range pods.Items[0].Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("it is not ready")
	})
	return &pods.Items[0]
}

// samePod fails unless the provider still runs in this pod and was never
// restarted.
func (w *world) samePod(t *testing.T, uid types.UID) {
	t.Helper()
	p := w.thePod(t)
	if p.UID != uid || p.Status.ContainerStatuses[0].RestartCount > 0 {
		t.Fatalf("the provider was restarted %d times", p.Status.ContainerStatuses[0].RestartCount)
	}
}

// plainMAC is the device of a KeaReservation that somebody has written.
const plainMAC = "00:02:12:34:56:01"

// configure tells the provider where Kea is, and what credentials it takes. It
// tries until the API server knows the kind.
func (w *world) configure(t *testing.T) {
	t.Helper()
	manifest := fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {namespace: %[1]s, name: kea-credentials}
stringData: {username: %[2]s, password: %[3]s}
---
apiVersion: kea.crossplane.io/v1alpha1
kind: ClusterProviderConfig
metadata: {name: default}
spec:
  servers: [{name: kea1, url: %[4]q}]
  credentials: {source: Secret, secretRef: {namespace: %[1]s, name: kea-credentials}}
  snapshotInterval: 6s
`, crossplaneNamespace, username, password, w.kea.URL)
	testenv.Eventually(t, within, "a ClusterProviderConfig", func(context.Context) error {
		_, err := tryKubectl(manifest, "apply", "-f", "-")
		return err
	})
}

// plainKea has the provider look at Kea, in a cluster without VitiStack.
func plainKea(t *testing.T, w *world) {
	if _, err := tryKubectl(kinds(t), "delete", "-f", "-", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
	w.configure(t)
	w.reservePlain(t)
	t.Log("\n" + kubectl(t, "get", "keareservations,clusterproviderconfigs", "-A"))
}

func (w *world) reservePlain(t *testing.T) {
	t.Helper()
	apply(t, fmt.Sprintf(`
apiVersion: kea.crossplane.io/v1alpha1
kind: KeaReservation
metadata: {namespace: default, name: plain}
spec: {forProvider: {subnet: %s, hwAddress: %q, ipAddress: 10.123.0.50}}
`, subnet, plainMAC))
	w.awaitReserved(t, "default", "plain")
}

// kinds are the manifests of VitiStack's kinds.
func kinds(t *testing.T) string {
	t.Helper()
	dir, err := testenv.VitiStackCRDs()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, name := range []string{"networkconfigurations", "networknamespaces"} {
		b, err := os.ReadFile(filepath.Join(dir, "vitistack.io_"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n" + string(b) + "\n")
	}
	return out.String()
}

func roleAfterKinds(t *testing.T, w *world) {
	before := w.thePod(t)
	apply(t, kinds(t))
	w.awaitEvent(t, 2, "networkconfigurations.vitistack.io")
	kubectl(t, "apply", "-k", filepath.Join(testenv.Root(), "cluster", "rbac"))
	w.expandsMachines(t, "role-after-kinds")
	w.samePod(t, before.UID)
}

func kindsAfterRole(t *testing.T, w *world) {
	before := w.thePod(t)
	apply(t, kinds(t))
	w.expandsMachines(t, "kinds-after-role")
	w.samePod(t, before.UID)
	w.awaitEvent(t, 2, "") // no more than before the role came
}

// expandsMachines fails unless a NetworkConfiguration gets its KeaReservation.
func (w *world) expandsMachines(t *testing.T, namespace string) {
	t.Helper()
	testenv.Eventually(t, within, "VitiStack's kinds to be served", func(context.Context) error {
		_, err := tryKubectl("", "get", "networkconfigurations,networknamespaces", "-A")
		return err
	})
	networkNamespace(t, namespace, "")
	networkConfiguration(t, namespace, machine, eth0)
	testenv.Eventually(t, within, "the machine's KeaReservation", func(ctx context.Context) error {
		items, err := w.list(ctx, keaReservation, client.InNamespace(namespace))
		if err == nil && len(items) != 1 {
			err = fmt.Errorf("there are %d", len(items))
		}
		return err
	})
	kubectl(t, "delete", "namespace", namespace, "--timeout=60s")
}
