// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// fleet is what users want at a time. It is what the servers are compared with at the end of a
// round.
type fleet struct {
	configs      map[string]string    // the provider configuration of the machines of each namespace
	machines     map[string]*machine  // NetworkConfigurations, by namespace/name
	reservations map[string]*reserved // KeaReservations that users make, by namespace/name
	leased       map[int]bool         // devices that have a lease
}

// machine is a NetworkConfiguration. Each of its devices is pinned to the address of its number.
type machine struct {
	devices []int
}

// reserved is a KeaReservation with an address of its own.
type reserved struct {
	config          string
	device, address int
	hostname        string
}

func newFleet() fleet {
	return fleet{configs: firstConfigs(), machines: map[string]*machine{}, reservations: map[string]*reserved{}, leased: map[int]bool{}}
}

// Device n has a hardware address, and address n is one of the subnet. A device that has a lease
// has that of its number.

func macOf(n int) string { return fmt.Sprintf("00:02:12:00:%02x:%02x", n>>8, n&255) }

func addressOf(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 123, byte(n >> 8), byte(n)}) }

// patience is how long a user tries again, until a fault is over.
const patience = 2 * time.Minute

// try does something that a fault may be in the way of, until it is done.
func (w *world) try(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := do(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot do what a user does in %s: %w", patience, err)
		case <-tick.C:
		}
	}
}

// createMachine NAME DEVICES: a user creates a NetworkConfiguration.
func (w *world) createMachine(args []string) error {
	devices, err := numbers(args[1])
	if err != nil {
		return err
	}
	nc := &vitistack.NetworkConfiguration{ObjectMeta: meta(args[0])}
	nc.Spec.Name, nc.Spec.Provider = nc.Name, vitistack.ProviderKea
	nc.Spec.DatacenterIdentifier, nc.Spec.SupervisorIdentifier, nc.Spec.ClusterIdentifier = "dc1", "sv1", "cluster1"
	nc.Spec.NetworkInterfaces = interfaces(devices)
	w.fleet.machines[args[0]] = &machine{devices: devices}
	return w.createObject(nc)
}

// setDevices NAME DEVICES: a user changes the interfaces of a machine.
func (w *world) setDevices(args []string) error {
	m, found := w.fleet.machines[args[0]]
	if !found {
		return nil // Its creation was dropped from the history.
	}
	var err error
	if m.devices, err = numbers(args[1]); err != nil {
		return err
	}
	return edit(w, &vitistack.NetworkConfiguration{ObjectMeta: meta(args[0])}, func(nc *vitistack.NetworkConfiguration) {
		nc.Spec.NetworkInterfaces = interfaces(m.devices)
	})
}

// move NAMESPACE CONFIG: a user has the machines of a namespace served by other servers.
func (w *world) move(args []string) error {
	w.fleet.configs[args[0]] = args[1]
	nn := &crds.NetworkNamespace{ObjectMeta: meta(args[0] + "/net")}
	return edit(w, nn, func(nn *crds.NetworkNamespace) { nn.Annotations = placedBy(args[1]) })
}

// createReservation NAME CONFIG DEVICE ADDRESS: a user creates a KeaReservation.
func (w *world) createReservation(args []string) error {
	device, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	address, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	w.fleet.reservations[args[0]] = &reserved{config: args[1], device: device, address: address}
	r := &v1alpha1.KeaReservation{ObjectMeta: meta(args[0])}
	r.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: subnet, HWAddress: macOf(device), IPAddress: addressOf(address).String()}
	r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: args[1]}
	return w.createObject(r)
}

// setAddress NAME ADDRESS: a user changes the address of a KeaReservation.
func (w *world) setAddress(args []string) error {
	r, found := w.fleet.reservations[args[0]]
	if !found {
		return nil
	}
	var err error
	if r.address, err = strconv.Atoi(args[1]); err != nil {
		return err
	}
	return edit(w, &v1alpha1.KeaReservation{ObjectMeta: meta(args[0])}, func(kr *v1alpha1.KeaReservation) {
		kr.Spec.ForProvider.IPAddress = addressOf(r.address).String()
	})
}

// setHostname NAME HOSTNAME: a user changes the hostname of a KeaReservation.
func (w *world) setHostname(args []string) error {
	r, found := w.fleet.reservations[args[0]]
	if !found {
		return nil
	}
	r.hostname = args[1]
	return edit(w, &v1alpha1.KeaReservation{ObjectMeta: meta(args[0])}, func(kr *v1alpha1.KeaReservation) {
		kr.Spec.ForProvider.Hostname = &r.hostname
	})
}

// deleteObject NAME: a user deletes a NetworkConfiguration or a KeaReservation.
func (w *world) deleteObject(args []string) error {
	var o client.Object = &v1alpha1.KeaReservation{ObjectMeta: meta(args[0])}
	if _, found := w.fleet.machines[args[0]]; found {
		o = &vitistack.NetworkConfiguration{ObjectMeta: meta(args[0])}
	}
	delete(w.fleet.machines, args[0])
	delete(w.fleet.reservations, args[0])
	return w.try(func(ctx context.Context) error { return client.IgnoreNotFound(w.client.Delete(ctx, o)) })
}

// createObject creates an object. An error may come although it is created.
func (w *world) createObject(o client.Object) error {
	return w.try(func(ctx context.Context) error {
		err := w.client.Create(ctx, o)
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

// edit changes an object as a user does who tries again on a conflict.
func edit[T client.Object](w *world, o T, change func(T)) error {
	return w.try(func(ctx context.Context) error {
		if err := w.client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		change(o)
		return w.client.Update(ctx, o)
	})
}

func meta(name string) metav1.ObjectMeta {
	namespace, name, _ := strings.Cut(name, "/")
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func nameOf(o client.Object) string {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}.String()
}

// placedBy are the annotations of a NetworkNamespace whose machines use a provider configuration.
func placedBy(config string) map[string]string {
	return map[string]string{v1alpha1.Group + "/provider-config": v1alpha1.ClusterProviderConfigKind + "/" + config}
}

func interfaces(devices []int) []vitistack.NetworkConfigurationInterface {
	out := make([]vitistack.NetworkConfigurationInterface, 0, len(devices))
	for i, d := range devices {
		out = append(out, vitistack.NetworkConfigurationInterface{Name: fmt.Sprintf("eth%d", i), MacAddress: macOf(d)})
	}
	return out
}

// numbers reads devices as 1,2,3.
func numbers(s string) ([]int, error) {
	var out []int
	for f := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// list writes devices as 1,2,3.
func list(devices []int) string {
	var out []string
	for _, d := range slices.Sorted(slices.Values(devices)) {
		out = append(out, strconv.Itoa(d))
	}
	return strings.Join(out, ",")
}
