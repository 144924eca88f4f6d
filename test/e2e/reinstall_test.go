// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// providers names the resource in full: others may have providers too.
const providers = "providers.pkg.crossplane.io"

// protected tries to delete a Provider that a ClusterUsage of the examples
// protects.
func protected(t *testing.T, _ *world) {
	usage, _ := documents(file(t, "examples", "usage.yaml"), func(doc string) bool { return strings.Contains(doc, "kind: Provider\n") })
	testenv.Eventually(t, within, "Crossplane's webhook to take the ClusterUsage", func(context.Context) error {
		_, err := tryKubectl(usage, "apply", "-f", "-")
		return err
	})
	testenv.Eventually(t, within, "the ClusterUsage to refuse the deletion", func(context.Context) error {
		out, err := tryKubectl("", "delete", providers, providerName, "--dry-run=server")
		if err == nil {
			return errors.New("the Provider would be deleted: " + out)
		}
		if !strings.Contains(out, "usage") {
			return err
		}
		t.Log(out)
		return nil
	})
	if _, err := tryKubectl(usage, "delete", "-f", "-", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
}

// reinstall deletes the Provider as README tells for a Provider that is to come
// back, and installs it again.
func reinstall(t *testing.T, w *world) {
	before, from := w.state(t), len(w.kea.Log())
	kubectl(t, "delete", providers, providerName, "--cascade=orphan")
	apply(t, file(t, "_output", "install.yaml"))
	w.awaitHealthy(t)
	w.thePod(t)
	w.deleteLeftRevisions(t)
	w.unchanged(t, before, from)
}

// deleteLeftRevisions deletes the revisions that no Provider has taken up again.
func (w *world) deleteLeftRevisions(t *testing.T) {
	t.Helper()
	items, err := w.list(t.Context(), providerRevision)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range items {
		if len(r.OwnerReferences) == 0 {
			kubectl(t, "delete", "providerrevisions.pkg.crossplane.io", r.Name, "--timeout=60s")
		}
	}
}

// deletedByMistake deletes the Provider with everything that it has made, which
// Kubernetes begins and cannot end: nobody is left who would take the reservations
// out of Kea.
func deletedByMistake(t *testing.T, w *world) {
	before, old, last := w.state(t), w.uids(t), w.thePod(t)
	config := &v1alpha1.ClusterProviderConfig{}
	if err := w.client.Get(t.Context(), client.ObjectKey{Name: "default"}, config); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "delete", providers, providerName)
	w.awaitGone(t, pod, client.ObjectKeyFromObject(last))
	apply(t, file(t, "_output", "install.yaml"))
	testenv.Eventually(t, within, "the Provider to say why it is not healthy", func(context.Context) error {
		status := kubectl(t, "get", providers, providerName, "-o", "jsonpath={.status.conditions}")
		if !strings.Contains(status, "is already controlled by ProviderRevision") {
			return errors.New(status)
		}
		return nil
	})
	documented(t, "repair")
	kubectl(t, "annotate", "providerrevisions.pkg.crossplane.io", "--all", "e2e=now") // a user would wait a minute until Crossplane looks again
	w.awaitHealthy(t)
	testenv.Eventually(t, within, "a new ClusterProviderConfig", func(ctx context.Context) error {
		w.configure(t)
		pc := &v1alpha1.ClusterProviderConfig{}
		err := w.client.Get(ctx, client.ObjectKey{Name: "default"}, pc)
		if err == nil && pc.UID == config.UID {
			err = errors.New("it is still the old one")
		}
		return err
	})
	testenv.Eventually(t, within, "the machine's KeaReservations to be made anew", func(context.Context) error {
		now := w.uids(t)
		for uid := range old {
			delete(now, uid)
		}
		if len(now) != 2 {
			return fmt.Errorf("%d are new, and not 2", len(now))
		}
		return nil
	})
	w.awaitMachine(t, machines, "fleet")
	after := w.state(t)
	for _, mac := range []string{eth0, eth1} {
		if diff := cmp.Diff(before.Reservations[mac], after.Reservations[mac]); diff != "" {
			t.Errorf("the reservation of %s: -before, +after:\n%s", mac, diff)
		}
	}
}

// uids tells the KeaReservations that there are from those that had their names.
func (w *world) uids(t *testing.T) map[types.UID]bool {
	t.Helper()
	out := map[types.UID]bool{}
	items, err := w.list(t.Context(), keaReservation)
	if err != nil && !meta.IsNoMatchError(err) && !kerrors.IsNotFound(err) { // the CRD may not be there
		t.Fatal(err)
	}
	for _, i := range items {
		out[i.UID] = true
	}
	return out
}

// uninstall does what is documented, with machines and a Host that would have
// their KeaReservations made anew.
func uninstall(t *testing.T, w *world) {
	documented(t, "uninstall")
	for _, mac := range []string{eth0, eth1, plainMAC} {
		w.awaitFree(t, mac)
	}
	left := ""
	testenv.Eventually(t, within, "nothing to be left", func(context.Context) error {
		left = kubectl(t, "get", "crds,mrds,providers.pkg.crossplane.io,providerrevisions,deploymentruntimeconfigs,clusterroles,clusterrolebindings,"+
			"deployments,services,serviceaccounts,secrets,configmaps,leases", "--all-namespaces", "-o", "name")
		for line := range strings.Lines(left) {
			if strings.Contains(line, "kea") && !strings.Contains(line, "kea-credentials") { // the user's own
				return errors.New("there is " + line)
			}
		}
		return nil
	})
}

// documented runs the commands of a block in cluster/README.md.
func documented(t *testing.T, block string) {
	t.Helper()
	_, rest, found := strings.Cut(file(t, "cluster", "README.md"), "```sh "+block+"\n")
	commands, _, end := strings.Cut(rest, "```")
	if !found || !end {
		t.Fatalf("cluster/README.md has no block %q", block)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*within)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = testenv.Root()
	out, err := cmd.CombinedOutput()
	t.Log("\n" + string(out))
	if err != nil {
		t.Fatalf("cannot %s as it is documented: %v", block, err)
	}
}
