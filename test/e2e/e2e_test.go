// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"testing"
	"time"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(klog.NewKlogr())
	os.Exit(m.Run())
}

// TestProvider is the life of an installation. Each step goes on where the one
// before it has ended, so the first that fails is the last that runs.
func TestProvider(t *testing.T) {
	w := newWorld(t)
	t.Cleanup(func() { w.explain(t) })
	// Crossplane takes half a minute for them, and the first steps do not need them.
	for _, name := range functions {
		w.installFunction(t, name)
	}
	steps := []struct {
		name   string
		reason string
		run    func(*testing.T, *world)
	}{
		{"InstallWithoutClusterRole", "A Provider without its ClusterRole is healthy, and says what it lacks.", installWithoutClusterRole},
		{"RoleAfterKinds", "VitiStack's kinds, and the role after them, start the NetworkConfiguration controller in the same pod.", roleAfterKinds},
		{"PlainKea", "Without VitiStack's kinds the provider serves KeaReservations, with the credentials of a Secret.", plainKea},
		{"KindsAfterRole", "So do kinds that come after the role.", kindsAfterRole},
		{"Permissions", "The ServiceAccount may do what is documented, and nothing more.", permissions},
		{"ColdStart", "A pod that starts looks at what there is, and writes nothing.", coldStart},
		{"LeaseIsPinned", "A device's lease becomes its reservation, and it gets that address again after others have taken theirs.", leaseIsPinned},
		{"TwoClientIDs", "A machine with two client-ids gets another address than the reserved one, and its KeaReservation says why.", twoClientIDs},
		{"KeaRestarted", "Hosts that Kea has lost are put back before their device's next request.", keaRestarted},
		{"MACRemoved", "A hardware address that leaves a NetworkConfiguration leaves Kea.", macRemoved},
		{"NetworkConfigurationDeleted", "A deleted NetworkConfiguration leaves nothing in Kea.", networkConfigurationDeleted},
		{"ForegroundDeletion", "Deleting in the foreground hangs nowhere: a KeaReservation uses its configuration until it has left Kea.", foregroundDeletion},
		{"Composition", "A platform team's XR is ready with its reservation, and frees it when it is deleted.", composition},
		{"HighAvailability", "A device gets its address from the standby when the primary is dead, and from a primary that returns empty.", highAvailability},
		{"NothingRefused", "All that the pod has done so far it may do, and its log has no error and no secret.", nothingRefused},
		{"NamespaceDeleted", "A namespace with everything in it, the ProviderConfig and its Secret too, goes whole.", namespaceDeleted},
		{"Upgrade", "A second build takes over without a write to Kea or to a KeaReservation.", upgrade},
		{"Protected", "A ClusterUsage keeps the Provider from being deleted by mistake.", protected},
		{"Reinstall", "A Provider that was deleted alone and installed again has lost nothing, and written nothing.", reinstall},
		{"DeletedByMistake", "One that was deleted with all it has made hangs nowhere once it is back, and machines have their addresses.", deletedByMistake},
		{"Uninstall", "What is documented leaves nothing behind.", uninstall},
		{"Standalone", "The same image works as a plain Deployment.", standalone},
	}
	for _, s := range steps {
		start := time.Now()
		if !t.Run(s.name, func(t *testing.T) { s.run(t, w) }) {
			t.Fatalf("%s: %s", s.name, s.reason)
		}
		t.Logf("%-28s %5.1f s  %s", s.name, time.Since(start).Seconds(), s.reason)
	}
}

// explain prints what a person would look at first when a step has failed.
func (w *world) explain(t *testing.T) {
	if !t.Failed() {
		return
	}
	for _, args := range [][]string{
		{"get", "providers,providerrevisions,functions,keareservations,clusterproviderconfigs,pods,networkconfigurations", "-A"},
		{"describe", "providers,providerrevisions"},
		{"get", "events", "-A", "--sort-by=.lastTimestamp"},
		{"-n", crossplaneNamespace, "logs", "-l", "pkg.crossplane.io/provider=" + providerName, "--tail=60"},
	} {
		out, err := tryKubectl("", args...)
		t.Log(out, err)
	}
}
