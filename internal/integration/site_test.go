// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// within is how long a test waits for what should come. It is generous: the race
// detector and other tests share the machine.
const within = 90 * time.Second

// subnet is the subnet that every site's Kea has, with subnet-id 1.
const subnet = "10.123.0.0/24"

// site is what a test has to itself: a Kea, a namespace, and a
// ClusterProviderConfig of the namespace's name that leads to the Kea.
type site struct {
	*world

	t         testing.TB
	kea       *testenv.Kea
	namespace string
	// at talks to the Kea behind the provider's back.
	at *kea.Client
	// patience is how long await waits; 0 is within.
	patience time.Duration
}

// newSite makes a site with a Kea as wanted, and with a configuration that is
// changed as wanted.
func newSite(t testing.TB, o testenv.KeaOptions, change ...func(*v1alpha1.ClusterProviderConfig)) *site {
	t.Helper()
	if len(o.Subnets) == 0 {
		o.Subnets = []testenv.Subnet{testenv.DefaultSubnet()}
	}
	s := &site{world: &shared.world, t: t, kea: testenv.StartKea(t, o)}
	s.look(s.kea, o.Username, o.Password)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	s.create(ns)
	s.namespace = ns.Name
	config := s.config()
	for _, c := range change {
		c(config)
	}
	s.create(config)
	t.Cleanup(func() { s.abandon(config) })
	return s
}

// abandon lets the provider forget the site while its Kea is there: another Kea
// may get its port.
func (s *site) abandon(config client.Object) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	all := &v1alpha1.KeaReservationList{}
	_ = s.client.DeleteAllOf(ctx, &v1alpha1.KeaReservation{}, client.InNamespace(s.namespace))
	_ = s.client.Delete(ctx, config)
	_ = s.client.List(ctx, all, client.InNamespace(s.namespace))
	for i := range all.Items {
		r := &all.Items[i]
		_ = s.client.Patch(ctx, r, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	}
}

// config is the site's ClusterProviderConfig as it is made. The snapshots are as
// frequent as the API allows.
func (s *site) config() *v1alpha1.ClusterProviderConfig {
	return &v1alpha1.ClusterProviderConfig{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec: v1alpha1.ClusterProviderConfigSpec{ProviderConfigSpec: v1alpha1.ProviderConfigSpec{
			Servers:          []v1alpha1.Server{{Name: "kea1", URL: s.kea.URL}},
			SnapshotInterval: metav1.Duration{Duration: time.Second},
			Timeout:          metav1.Duration{Duration: 5 * time.Second},
			Credentials:      v1alpha1.Credentials{Source: xpv2.CredentialsSourceNone},
			Hosts:            v1alpha1.Hosts{Storage: v1alpha1.HostStorageAuto, Persist: v1alpha1.HostPersistenceNever},
		}},
	}
}

// reservation is a KeaReservation on the site's Kea, not created yet.
func (s *site) reservation(name string, p v1alpha1.KeaReservationParameters) *v1alpha1.KeaReservation {
	if p.Subnet == "" && p.SubnetID == nil {
		p.Subnet = subnet
	}
	r := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	r.Spec.ForProvider = p
	r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: s.namespace}
	return r
}

func (s *site) create(o client.Object) {
	s.t.Helper()
	if err := s.client.Create(s.t.Context(), o); err != nil {
		s.t.Fatalf("cannot create %T %s: %v", o, o.GetName(), err)
	}
}

// edit changes an object as a user does who tries again on a conflict.
func edit[T client.Object](s *site, o T, change func(T)) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "edit "+o.GetName(), func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		change(o)
		return s.client.Update(ctx, o)
	})
}

func (s *site) delete(o client.Object, opts ...client.DeleteOption) {
	s.t.Helper()
	if err := s.client.Delete(s.t.Context(), o, opts...); err != nil && !kerrors.IsNotFound(err) {
		s.t.Fatalf("cannot delete %T %s: %v", o, o.GetName(), err)
	}
}

// awaitGone waits until an object is no longer there.
func (s *site) awaitGone(o client.Object) {
	s.t.Helper()
	testenv.Eventually(s.t, within, o.GetName()+" to be gone", func(ctx context.Context) error {
		err := s.client.Get(ctx, client.ObjectKeyFromObject(o), o)
		if kerrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is still there"))
	})
}

// is is what a test expects of a condition; an empty Reason is any.
type is struct {
	Type    xpv2.ConditionType
	Status  corev1.ConditionStatus
	Reason  xpv2.ConditionReason
	Message string // a part of it
}

// conditioned is a resource with Crossplane's conditions.
type conditioned interface {
	client.Object
	GetCondition(ct xpv2.ConditionType) xpv2.Condition
}

// await reads the object until all conditions are as expected, of its present
// generation.
func (s *site) await(o conditioned, want ...is) {
	s.t.Helper()
	var last error
	testenv.Eventually(s.t, max(within, s.patience), fmt.Sprintf("%s to have %+v", o.GetName(), want), func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return errors.Join(last, err)
		}
		last = differs(o, want)
		return last
	})
}

// differs names the conditions that are not as expected, or not of the object's
// present generation.
func differs(o conditioned, want []is) error {
	var errs []error
	for _, w := range want {
		c := o.GetCondition(w.Type)
		if c.Status != w.Status || (w.Reason != "" && c.Reason != w.Reason) || !strings.Contains(c.Message, w.Message) || c.ObservedGeneration != o.GetGeneration() {
			errs = append(errs, fmt.Errorf("%s is %s %s %q, observed at %d of %d", w.Type, c.Status, c.Reason, c.Message, c.ObservedGeneration, o.GetGeneration()))
		}
	}
	return errors.Join(errs...)
}

var (
	isReady  = is{Type: xpv2.TypeReady, Status: corev1.ConditionTrue}
	isSynced = is{Type: xpv2.TypeSynced, Status: corev1.ConditionTrue}
)

// held reads what the Kea has of a device in memory; nil if nothing.
func (s *site) held(hw string) *kea.Reservation {
	s.t.Helper()
	return s.heldIn(kea.TargetMemory, hw)
}

func (s *site) heldIn(place kea.Target, hw string) *kea.Reservation {
	s.t.Helper()
	r, err := s.at.Reservation(s.t.Context(), place, 1, kea.HWAddress(hw))
	if errors.Is(err, kea.ErrNotFound) {
		return nil
	}
	if err != nil {
		s.t.Fatalf("cannot read the reservation of %s: %v", hw, err)
	}
	return &r
}

// awaitHeld waits until Kea's memory has the device's reservation with an address.
func (s *site) awaitHeld(hw, ip string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("Kea to hold %s for %s", ip, hw), func(ctx context.Context) error {
		r, err := s.at.Reservation(ctx, kea.TargetMemory, 1, kea.HWAddress(hw))
		if err == nil && r.IPAddress.String() != ip {
			err = fmt.Errorf("it holds %s", r.IPAddress)
		}
		return err
	})
}

// put makes a reservation behind the provider's back.
func (s *site) put(r kea.Reservation) {
	s.t.Helper()
	r.SubnetID = 1
	if err := s.at.AddReservation(s.t.Context(), kea.TargetMemory, r); err != nil {
		s.t.Fatal(err)
	}
}

// lease gives a device a lease that it obtained just now.
func (s *site) lease(hw, ip string) {
	s.t.Helper()
	s.command("lease4-add", map[string]any{"ip-address": ip, "hw-address": hw, "subnet-id": 1, "valid-lft": 3600})
}

// command sends Kea a command that the client does not have.
func (s *site) command(name string, arguments map[string]any) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"command": name, "service": []string{"dhcp4"}, "arguments": arguments})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.kea.URL, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answers []struct {
		Result int    `json:"result"`
		Text   string `json:"text"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil || len(answers) != 1 || answers[0].Result != 0 {
		s.t.Fatalf("%s: %v %+v", name, err, answers)
	}
}

// addr is an address of a test.
func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// key names an object of the site's namespace.
func (s *site) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: s.namespace, Name: name}
}
