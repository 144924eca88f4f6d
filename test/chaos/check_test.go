// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// pinned is what a device is to have in Kea.
type pinned struct {
	config, name string // of the provider configuration, and of the resource or the machine
	device       int
	address      int // 0 for none
	hostname     string
}

// pinned returns what every device is to have.
func (f fleet) pinned() []pinned {
	var out []pinned
	for name, m := range f.machines {
		namespace, _, _ := strings.Cut(name, "/")
		for _, d := range m.devices {
			p := pinned{config: f.configs[namespace], name: name, device: d}
			if f.leased[d] {
				p.address = d
			}
			out = append(out, p)
		}
	}
	for name, r := range f.reservations {
		out = append(out, pinned{config: r.config, name: name, device: r.device, address: r.address, hostname: r.hostname})
	}
	return out
}

// wrong says how the servers differ from what users want: "" if they do not. In each Kea there is a
// reservation for each device that has an address, once, marked as the provider's, and all those
// that are not the provider's are as they were. Each KeaReservation and NetworkConfiguration is
// there and says so, and nothing else is.
func (w *world) wrong(ctx context.Context) string {
	var out []string
	say := func(what string, want, got []string, err error) {
		if err != nil {
			out = append(out, fmt.Sprintf("cannot read %s: %v", what, err))
		} else if diff := difference(want, got); diff != "" {
			out = append(out, fmt.Sprintf("%s, -want +got:%s", what, diff))
		}
	}
	all := w.fleet.pinned()
	for _, s := range w.keas {
		got, err := s.hosts(ctx, all)
		say("the reservations of "+s.name, s.wanted(all), got, err)
	}
	got, err := w.resources(ctx)
	say("KeaReservations", wantedResources(all), got, err)
	got, err = w.networkConfigurations(ctx)
	say("NetworkConfigurations", w.fleet.wantedMachines(), got, err)
	got, err = w.configurations(ctx)
	say("ClusterProviderConfigs", []string{mysqlConfig + " Healthy True", pairConfig + " Healthy True", postgresConfig + " Healthy True"}, got, err)
	return strings.Join(out, "\n")
}

// difference returns the lines that are in one list only, or more often than in the other.
func difference(want, got []string) string {
	often := map[string]int{}
	for _, line := range got {
		often[line]++
	}
	for _, line := range want {
		often[line]--
	}
	var b strings.Builder
	for _, line := range slices.Sorted(maps.Keys(often)) {
		if n := often[line]; n != 0 {
			sign := map[bool]string{true: "+", false: "-"}[n > 0]
			fmt.Fprintf(&b, "\n  %s %s", sign, line)
		}
	}
	return b.String()
}

// wanted are the reservations that a Kea is to have, a line each.
func (s *server) wanted(all []pinned) []string {
	out := slices.Clone(s.strange)
	for _, p := range all {
		if p.config == s.config && p.address != 0 {
			out = append(out, fmt.Sprintf("%s %s %s ours", macOf(p.device), addressOf(p.address), p.hostname))
		}
	}
	return out
}

// hosts are the reservations that a Kea has, a line each. Hostnames that are not managed
// are left out.
func (s *server) hosts(ctx context.Context, all []pinned) ([]string, error) {
	managed := map[kea.HWAddress]bool{}
	for _, p := range all {
		managed[kea.HWAddress(macOf(p.device))] = p.hostname != ""
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var out []string
	for page, err := range s.at.ReservationPages(ctx, 1000) {
		if err != nil {
			return nil, err
		}
		for _, r := range page.Reservations() {
			out = append(out, describe(r, managed[r.HWAddress]))
		}
	}
	return out, nil
}

// describe writes a reservation in a line, with all that one has which is not the provider's.
func describe(r kea.Reservation, managesHostname bool) string {
	if _, ours := r.UserContext["crossplane"]; !ours {
		all, err := json.Marshal(r)
		if err != nil {
			return err.Error()
		}
		return string(all)
	}
	if !managesHostname {
		r.Hostname = ""
	}
	return fmt.Sprintf("%s %s %s ours", r.HWAddress, r.IPAddress, r.Hostname)
}

func wantedResources(all []pinned) []string {
	var out []string
	for _, p := range all {
		namespace, _, _ := strings.Cut(p.name, "/")
		state, address := "Ready", ""
		if p.address == 0 {
			state = string(v1alpha1.ReasonAwaitingLease)
		} else {
			address = addressOf(p.address).String()
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %s", namespace, macOf(p.device), p.config, address, state))
	}
	return out
}

func (w *world) resources(ctx context.Context) ([]string, error) {
	all := &v1alpha1.KeaReservationList{}
	if err := w.client.List(ctx, all); err != nil {
		return nil, err
	}
	var out []string
	for i := range all.Items {
		r := &all.Items[i]
		out = append(out, fmt.Sprintf("%s %s %s %s %s", r.Namespace, strings.ToLower(r.Spec.ForProvider.HWAddress),
			r.Spec.ProviderConfigReference.Name, r.Spec.ForProvider.IPAddress, state(r)))
	}
	return out, nil
}

// state is Ready, or why a KeaReservation is not.
func state(r *v1alpha1.KeaReservation) string {
	wanted := []xpv2.ConditionType{xpv2.TypeSynced, xpv2.TypeReady}
	if r.Spec.ProviderConfigReference.Name == pairConfig && r.Spec.ForProvider.IPAddress != "" {
		wanted = append(wanted, v1alpha1.TypeReplicated)
	}
	for _, t := range wanted {
		if c := r.GetCondition(t); c.Status != corev1.ConditionTrue {
			if t == xpv2.TypeReady && c.Reason == v1alpha1.ReasonAwaitingLease {
				return string(c.Reason)
			}
			return fmt.Sprintf("%s %s %s: %s", t, c.Status, c.Reason, c.Message)
		}
	}
	return "Ready"
}

func (f fleet) wantedMachines() []string {
	var out []string
	for name, m := range f.machines {
		phase := vitistack.PhaseReady
		var addresses []string
		for _, d := range m.devices {
			address := ""
			if f.leased[d] {
				address = addressOf(d).String()
			} else {
				phase = vitistack.PhaseReconciling
			}
			addresses = append(addresses, macOf(d)+"="+address)
		}
		out = append(out, fmt.Sprintf("%s %s %s", name, phase, sortedList(addresses)))
	}
	return out
}

func (w *world) networkConfigurations(ctx context.Context) ([]string, error) {
	all := &vitistack.NetworkConfigurationList{}
	if err := w.client.List(ctx, all); err != nil {
		return nil, err
	}
	var out []string
	for i := range all.Items {
		nc := &all.Items[i]
		var addresses []string
		for _, s := range nc.Status.NetworkInterfaces {
			addresses = append(addresses, s.MacAddress+"="+strings.Join(s.IPv4Addresses, ","))
		}
		phase := nc.Status.Phase
		if phase != vitistack.PhaseReady && phase != vitistack.PhaseReconciling {
			phase += ": " + nc.Status.Message
		}
		out = append(out, fmt.Sprintf("%s %s %s", nameOf(nc), phase, sortedList(addresses)))
	}
	return out, nil
}

func (w *world) configurations(ctx context.Context) ([]string, error) {
	var out []string
	for _, name := range configs {
		c := &v1alpha1.ClusterProviderConfig{}
		if err := w.client.Get(ctx, types.NamespacedName{Name: name}, c); err != nil {
			return nil, err
		}
		healthy := c.GetCondition(v1alpha1.TypeHealthy)
		line := fmt.Sprintf("%s Healthy %s", name, healthy.Status)
		if healthy.Status != corev1.ConditionTrue {
			line += ": " + healthy.Message
		}
		out = append(out, line)
	}
	return out, nil
}

func sortedList(s []string) string {
	slices.Sort(s)
	return strings.Join(s, " ")
}

// recovery is how long the provider may take, after all faults are over, until all is as it should.
// A replica that takes over takes 17 s, and Kea's pair about 10.
const recovery = 4 * time.Minute

// settled is how long nothing may be wrong until it is over: several snapshots.
const settled = 4 * time.Second

// await waits until nothing is wrong, and remains so. It returns what is wrong otherwise.
func (w *world) await() string {
	var since time.Time
	deadline := time.Now().Add(recovery)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ; ; <-tick.C {
		// It may have been created after its removal, by a request that was on its way that long.
		_ = w.webhook.start()
		wrong := w.wrong(w.t.Context())
		switch {
		case wrong != "":
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > settled:
			return ""
		}
		if time.Now().After(deadline) {
			return cmp.Or(wrong, "It has not been right for long enough.")
		}
	}
}
