// SPDX-License-Identifier: Apache-2.0

package cached

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Share is a transform of informers, which get each object decoded from JSON, with memory of its own
// for each text. It lets objects share the texts that many have, and an object those that it has
// several times. It drops managedFields, which an update that leaves them out does not change.
//
// A KeaReservation is otherwise left as it is, since all of it is sent with an update. Of a
// NetworkConfiguration, which is only patched, it drops kubectl's annotation with a second copy of it.
func Share(o any) (any, error) {
	if m, err := meta.Accessor(o); err == nil && len(m.GetManagedFields()) > 0 {
		m.SetManagedFields(nil)
	}
	switch o := o.(type) {
	case *v1alpha1.KeaReservation:
		shareReservation(o)
	case *vitistack.NetworkConfiguration:
		shareMachine(o)
	}
	return o, nil
}

// maxTexts is how many texts are known as shared, and maxLength how long one may be. Should texts
// come that few objects have, those that many have are soon known again.
const (
	maxTexts  = 1024
	maxLength = 256
)

// texts has one copy of each text that objects share.
type texts struct {
	mu    sync.Mutex // guards known
	known map[string]string
}

var shared = &texts{known: map[string]string{}}

// replace replaces texts by the copies that are shared.
func (t *texts) replace(all ...*string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range all {
		if *s == "" || len(*s) > maxLength {
			continue
		}
		if one, ok := t.known[*s]; ok {
			*s = one
			continue
		}
		if len(t.known) >= maxTexts {
			clear(t.known)
		}
		t.known[*s] = *s
	}
}

// share replaces a text of any type by the copy that is shared.
func share[T ~string](s *T) {
	text := string(*s)
	shared.replace(&text)
	*s = T(text)
}

func shareAll[T ~string](all []T) {
	for i := range all {
		share(&all[i])
	}
}

// one lets texts of one object that are equal to the first be the same.
func one(first string, all ...*string) {
	for _, s := range all {
		if *s == first {
			*s = first
		}
	}
}

// exact returns a slice without room for more, which decoding leaves.
func exact[T any](s []T) []T {
	if cap(s) == len(s) {
		return s
	}
	return slices.Clip(append(make([]T, 0, len(s)), s...))
}

// shareMap shares the keys of labels or annotations, and values that the object has elsewhere.
func shareMap(m map[string]string, own ...string) {
	for k, v := range m {
		for _, text := range own {
			one(text, &v)
		}
		shared.replace(&k)
		m[k] = v // It replaces the key, too.
	}
}

func shareMeta(t *metav1.TypeMeta, m *metav1.ObjectMeta, own ...string) {
	shared.replace(&t.Kind, &t.APIVersion, &m.Namespace)
	shareAll(m.Finalizers)
	m.Finalizers, m.OwnerReferences = exact(m.Finalizers), exact(m.OwnerReferences)
	for i := range m.OwnerReferences {
		owner := &m.OwnerReferences[i]
		shared.replace(&owner.APIVersion, &owner.Kind)
		own = append(own, owner.Name)
	}
	shareMap(m.Labels, own...)
	shareMap(m.Annotations, own...)
}

func shareReservation(mg *v1alpha1.KeaReservation) {
	spec, status := &mg.Spec, &mg.Status.AtProvider
	one(spec.ForProvider.HWAddress, &status.HWAddress)
	one(spec.ForProvider.IPAddress, &status.IPAddress)
	if status.Lease != nil {
		one(spec.ForProvider.IPAddress, &status.Lease.IPAddress)
	}
	shareMeta(&mg.TypeMeta, &mg.ObjectMeta, spec.ForProvider.HWAddress)
	if ref := spec.ProviderConfigReference; ref != nil {
		shared.replace(&ref.Kind, &ref.Name)
	}
	shareAll(spec.ManagementPolicies)
	shareAll(spec.ForProvider.ClientClasses)
	shareAll(status.ClientClasses)
	shareAll(status.DNSServers)
	shared.replace(&spec.ForProvider.Subnet, &status.Subnet, &status.Gateway)
	status.Servers = exact(status.Servers)
	for i := range status.Servers {
		s := &status.Servers[i]
		share(&s.State)
		shared.replace(&s.Name, &s.Message)
	}
	mg.Status.Conditions = exact(mg.Status.Conditions)
	for i := range mg.Status.Conditions {
		c := &mg.Status.Conditions[i]
		share(&c.Type)
		share(&c.Status)
		share(&c.Reason)
		shared.replace(&c.Message)
	}
}

func shareMachine(nc *vitistack.NetworkConfiguration) {
	if delete(nc.Annotations, corev1.LastAppliedConfigAnnotation); len(nc.Annotations) == 0 {
		nc.Annotations = nil
	}
	one(nc.Name, &nc.Spec.Name)
	shareMeta(&nc.TypeMeta, &nc.ObjectMeta, nc.Name)
	spec, status := &nc.Spec, &nc.Status
	shared.replace(&spec.DatacenterIdentifier, &spec.SupervisorIdentifier, &spec.ClusterIdentifier, &spec.Provider, &spec.NetworkNamespaceName)
	shared.replace(&status.Phase, &status.Status, &status.Message)
	spec.NetworkInterfaces, status.NetworkInterfaces = exact(spec.NetworkInterfaces), exact(status.NetworkInterfaces)
	for i := range spec.NetworkInterfaces {
		shareInterface(&spec.NetworkInterfaces[i])
	}
	for i := range status.NetworkInterfaces {
		in := &status.NetworkInterfaces[i]
		shareInterface(in)
		if i < len(spec.NetworkInterfaces) {
			one(spec.NetworkInterfaces[i].MacAddress, &in.MacAddress)
		}
	}
	status.Conditions = exact(status.Conditions)
	for i := range status.Conditions {
		c := &status.Conditions[i]
		share(&c.Status)
		shared.replace(&c.Type, &c.Reason, &c.Message)
	}
}

func shareInterface(in *vitistack.NetworkConfigurationInterface) {
	shared.replace(&in.Name, &in.Vlan, &in.IPv4Subnet, &in.IPv6Subnet, &in.IPv4Gateway, &in.IPv6Gateway)
	share(&in.AllocationMethod)
	shareAll(in.DNS)
	in.IPv4Addresses, in.IPv6Addresses, in.DNS = exact(in.IPv4Addresses), exact(in.IPv6Addresses), exact(in.DNS)
}
