// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/internal/testenv"
)

const (
	hosts      = "hosts" // the namespace of these two Hosts
	leasedHost = "leased"
	leasedMAC  = "00:02:12:34:5a:01"
	givenHost  = "given"
	givenMAC   = "00:02:12:34:5a:02"
	givenIP    = "10.123.0.70"
)

// functions that the example for platform teams names.
var functions = []string{"function-patch-and-transform", "function-auto-ready"}

// composition runs the example for platform teams as it stands, with functions
// that are built here in place of those that it names.
func composition(t *testing.T, w *world) {
	kubectl(t, "apply", "-f", filepath.Join(testenv.Root(), "examples", "composition", "xrd.yaml"))
	w.awaitCondition(t, resourceDefinition, client.ObjectKey{Name: "hosts." + host.Group}, "Established", corev1.ConditionTrue)
	kubectl(t, "apply", "-f", filepath.Join(testenv.Root(), "examples", "composition", "composition.yaml"))
	for _, name := range functions {
		w.awaitCondition(t, function, client.ObjectKey{Name: name}, "Healthy", corev1.ConditionTrue)
	}

	kubectl(t, "create", "namespace", hosts)
	applyHost(t, givenHost, givenMAC, "address: "+givenIP)
	applyHost(t, leasedHost, leasedMAC, "")
	given := w.awaitCondition(t, host, client.ObjectKey{Namespace: hosts, Name: givenHost}, "Ready", corev1.ConditionTrue)
	expectAddress(t, given, givenIP)
	waiting := w.awaitCondition(t, host, client.ObjectKey{Namespace: hosts, Name: leasedHost}, "Ready", corev1.ConditionFalse)
	expectAddress(t, waiting, "")

	address := w.wire.device(t, leasedMAC).obtain()
	leased := w.awaitCondition(t, host, client.ObjectKey{Namespace: hosts, Name: leasedHost}, "Ready", corev1.ConditionTrue)
	expectAddress(t, leased, address.String())
	w.awaitHeld(t, leasedMAC, address)
	t.Log("\n" + kubectl(t, "get", "providers,pods,keareservations,hosts", "-A"))

	kubectl(t, "-n", hosts, "delete", "host", leasedHost, "--timeout=60s")
	w.awaitFree(t, leasedMAC)
	kubectl(t, "-n", hosts, "delete", "host", givenHost, "--cascade=foreground", "--timeout=60s")
	w.awaitFree(t, givenMAC)
	w.awaitNoChildren(t, hosts)
}

// applyHost applies an XR as a user of the platform does.
func applyHost(t *testing.T, name, mac, address string) {
	t.Helper()
	manifest := fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {namespace: %s, name: %s}\nspec:\n  macAddress: %q\n  subnet: %s\n  %s\n",
		host.GroupVersion(), host.Kind, hosts, name, mac, subnet, address)
	testenv.Eventually(t, within, "the API server to take a Host", func(context.Context) error {
		_, err := tryKubectl(manifest, "apply", "-f", "-")
		return err
	})
}

func expectAddress(t *testing.T, xr *unstructured.Unstructured, want string) {
	t.Helper()
	if got, _, err := unstructured.NestedString(xr.Object, "status", "address"); err != nil || got != want {
		t.Fatalf("status.address of %s is %q, not %q (%v)", xr.GetName(), got, want, err)
	}
}

// installFunction builds a function of test/functions, pushes it as a package and
// has Crossplane install it.
func (w *world) installFunction(t *testing.T, name string) {
	t.Helper()
	ref := w.registry + "/" + name + ":" + firstBuild
	cmd := exec.CommandContext(t.Context(), filepath.Join(testenv.Root(), "test", "functions", "push"), name, ref)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot push %s: %v\n%s", name, err, out)
	}
	apply(t, fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: %s}\nspec: {package: %q}\n", function.GroupVersion(), function.Kind, name, ref))
}
