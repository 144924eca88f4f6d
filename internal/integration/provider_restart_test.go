// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// rewritten are specs that Kea holds in another spelling than they have.
var rewritten = map[string]params{
	"hex-with-0x":      {OptionData: []v1alpha1.OptionData{{Code: new(int32(222)), Data: "0xcafe", CSVFormat: new(false)}}},
	"hex-with-colons":  {OptionData: []v1alpha1.OptionData{{Code: new(int32(222)), Data: "ca:fe:00", CSVFormat: new(false)}}},
	"hex-with-blanks":  {OptionData: []v1alpha1.OptionData{{Code: new(int32(222)), Data: "ca fe 00", CSVFormat: new(false)}}},
	"hex-lower-case":   {OptionData: []v1alpha1.OptionData{{Code: new(int32(222)), Data: "cafe", CSVFormat: new(false)}}},
	"hex-of-a-known":   {OptionData: []v1alpha1.OptionData{{Name: "domain-name-servers", Data: "0A000002", CSVFormat: new(false)}}},
	"blanks":           {OptionData: []v1alpha1.OptionData{{Name: "domain-name-servers", Data: " 10.0.0.2,10.0.0.3 ,  10.0.0.4"}}},
	"domains":          {OptionData: []v1alpha1.OptionData{{Name: "domain-search", Data: "A.Example.COM,b.example.com"}}},
	"number":           {OptionData: []v1alpha1.OptionData{{Name: "default-ip-ttl", Data: "064"}}},
	"boolean":          {OptionData: []v1alpha1.OptionData{{Name: "ip-forwarding", Data: "True"}}},
	"default-flags":    {OptionData: []v1alpha1.OptionData{{Name: "ntp-servers", Data: "10.0.0.3", AlwaysSend: new(false), CSVFormat: new(true)}}},
	"by-name-and-code": {OptionData: []v1alpha1.OptionData{{Name: "ntp-servers", Code: new(int32(42)), Space: "dhcp4", Data: "10.0.0.3"}}},
	"two-vendors":      {OptionData: []v1alpha1.OptionData{{Code: new(int32(125)), Data: "2234"}, {Code: new(int32(125)), Data: "3561"}}},
	"opaque":           {OptionData: []v1alpha1.OptionData{{Code: new(int32(43)), Data: vendorData, CSVFormat: new(false)}}},
	"hostname":         {Hostname: new("VM01.Example.COM.")},
	"classes":          {ClientClasses: []string{"b", "a"}},
	"empty":            {Hostname: new(""), NextServer: new(""), ClientClasses: []string{}, OptionData: []v1alpha1.OptionData{}},
	"next-server":      {NextServer: new("0.0.0.0")},
	"not-ascii":        {BootFileName: new("é.pxe"), ServerHostname: new("bücher")},
}

// kept is what a restart of the provider changes nothing of.
func (s *site) kept(rs []*v1alpha1.KeaReservation, target string) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, r := range rs {
		s.read(r)
		text, err := s.rawHost(s.t.Context(), target, r.Spec.ForProvider.HWAddress)
		if err != nil {
			s.t.Fatal(err)
		}
		out[r.Name] = fmt.Sprintf("resourceVersion %s, in Kea %s", r.ResourceVersion, text)
	}
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	testenv.Eventually(s.t, within, "the reservations to be counted", func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(pc), pc); err != nil {
			return err
		}
		if st := pc.Status.Servers; len(st) != 1 || st[0].Reservations == nil || *st[0].Reservations != int64(len(rs)) {
			return fmt.Errorf("the status has %+v, want %d reservations", st, len(rs))
		}
		if pc.Status.Users != int64(len(rs)) {
			return fmt.Errorf("the status has %d users, want %d", pc.Status.Users, len(rs))
		}
		return nil
	})
	out["the provider configuration"] = fmt.Sprintf("resourceVersion %s, since %s", pc.ResourceVersion, pc.Status.Servers[0].Since)
	return out
}

// TestProviderRestart: a provider that starts finds Ready reservations as it left them and writes
// to neither side, also where Kea spells a value in its own way.
func TestProviderRestart(t *testing.T) {
	t.Parallel()
	c := newCluster(t, packaged...)
	c.install("kea.crossplane.io_keareservations.yaml")
	c.allow("provider-kea", clusterRole(t).Rules...)
	sites := map[string]*site{}
	for target, o := range map[string]testenv.KeaOptions{inMemory: {}, inDatabase: {Postgres: postgres(t)}} {
		o.Subnets = []testenv.Subnet{testenv.DefaultSubnet()}
		s := &site{world: c.world, t: t, kea: testenv.StartKea(t, o), namespace: "in-" + target}
		s.look(s.kea, "", "")
		s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
		s.create(s.config())
		sites[target] = s
	}
	names := slices.Sorted(maps.Keys(rewritten))
	fleets := map[string][]*v1alpha1.KeaReservation{}
	for target, s := range sites {
		for i, name := range names {
			p := rewritten[name]
			p.HWAddress, p.IPAddress = macOf(10+i), fmt.Sprintf("10.123.0.%d", 10+i)
			r := s.reservation(name, p)
			s.create(r)
			fleets[target] = append(fleets[target], r)
		}
	}
	before := map[string]map[string]string{}
	for target, s := range sites {
		for _, r := range fleets[target] {
			s.await(r, isReady, isSynced)
		}
		s.awaitSnapshots(3)
		before[target] = s.kept(fleets[target], target)
	}
	c.provider.stop()
	c.start()
	for target, s := range sites {
		s.awaitUsable()
		c.awaitReconciled(2 * len(rewritten))
		s.awaitSnapshots(5)
		after := s.kept(fleets[target], target)
		for name, was := range before[target] {
			if after[name] != was {
				t.Errorf("%s in %s was\n%s\nand is\n%s", name, target, was, after[name])
			}
		}
		equal(t, "what the started provider wrote to "+target, s.writes(), 0)
	}

	// What changed on either side while no provider ran is seen.
	c.provider.stop()
	for target, s := range sites {
		changed := fleets[target][slices.Index(names, "hex-with-0x")]
		edit(s, changed, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.OptionData[0].Data = "0xbeef" })
		h := s.host(target, fleets[target][slices.Index(names, "hex-with-colons")].Spec.ForProvider.HWAddress)
		h["option-data"] = []any{object{"code": 222, "csv-format": false, "data": "beef"}}
		s.mustAsk("reservation-update", object{"reservation": h, "operation-target": target})
	}
	c.start()
	for target, s := range sites {
		for name, want := range map[string]string{"hex-with-0x": "222=BEEF", "hex-with-colons": "222=CAFE00"} {
			s.awaitHost(target, fleets[target][slices.Index(names, name)].Spec.ForProvider.HWAddress, want, func(h object) error {
				if got := options(h); len(got) != 1 || got[0] != want {
					return fmt.Errorf("%s in %s has %v", name, target, got)
				}
				return nil
			})
		}
	}
}

// awaitReconciled waits until the provider has looked at KeaReservations this many times since its
// start.
func (c *cluster) awaitReconciled(n int) {
	c.t.Helper()
	line := regexp.MustCompile(`(?m)^controller_runtime_reconcile_total\{controller="managed/[^}]*\} (\d+)$`)
	testenv.Eventually(c.t, within, fmt.Sprintf("%d reconciles", n), func(ctx context.Context) error {
		text, err := get(ctx, "http://"+c.provider.metrics+"/metrics")
		if err != nil {
			return err
		}
		sum := 0
		for _, m := range line.FindAllStringSubmatch(text, -1) {
			v, err := strconv.Atoi(m[1])
			if err != nil {
				return err
			}
			sum += v
		}
		if sum < n {
			return fmt.Errorf("there were %d", sum)
		}
		return nil
	})
}
