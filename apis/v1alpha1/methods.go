// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// The accessors that crossplane-runtime works through. They are written by
// hand: angryjet, which makes them elsewhere, does not know the types of
// crossplane/apis/v2 yet.
var (
	_ resource.ModernManaged  = &KeaReservation{}
	_ resource.ManagedList    = &KeaReservationList{}
	_ resource.ProviderConfig = &ProviderConfig{}
	_ resource.ProviderConfig = &ClusterProviderConfig{}
)

// GetCondition of this KeaReservation.
func (r *KeaReservation) GetCondition(ct xpv2.ConditionType) xpv2.Condition {
	return r.Status.GetCondition(ct)
}

// SetConditions of this KeaReservation.
func (r *KeaReservation) SetConditions(c ...xpv2.Condition) { r.Status.SetConditions(c...) }

// GetManagementPolicies of this KeaReservation.
func (r *KeaReservation) GetManagementPolicies() xpv2.ManagementPolicies {
	return r.Spec.ManagementPolicies
}

// SetManagementPolicies of this KeaReservation.
func (r *KeaReservation) SetManagementPolicies(p xpv2.ManagementPolicies) {
	r.Spec.ManagementPolicies = p
}

// GetProviderConfigReference of this KeaReservation.
func (r *KeaReservation) GetProviderConfigReference() *xpv2.ProviderConfigReference {
	return r.Spec.ProviderConfigReference
}

// SetProviderConfigReference of this KeaReservation.
func (r *KeaReservation) SetProviderConfigReference(p *xpv2.ProviderConfigReference) {
	r.Spec.ProviderConfigReference = p
}

// GetWriteConnectionSecretToReference of this KeaReservation.
func (r *KeaReservation) GetWriteConnectionSecretToReference() *xpv2.LocalSecretReference {
	return r.Spec.WriteConnectionSecretToReference
}

// SetWriteConnectionSecretToReference of this KeaReservation.
func (r *KeaReservation) SetWriteConnectionSecretToReference(s *xpv2.LocalSecretReference) {
	r.Spec.WriteConnectionSecretToReference = s
}

// GetObservedGeneration of this KeaReservation.
func (r *KeaReservation) GetObservedGeneration() int64 { return r.Status.GetObservedGeneration() }

// SetObservedGeneration of this KeaReservation.
func (r *KeaReservation) SetObservedGeneration(g int64) { r.Status.SetObservedGeneration(g) }

// GetLastHandledReconcileAt of this KeaReservation.
func (r *KeaReservation) GetLastHandledReconcileAt() string {
	return r.Status.GetLastHandledReconcileAt()
}

// SetLastHandledReconcileAt of this KeaReservation.
func (r *KeaReservation) SetLastHandledReconcileAt(t string) { r.Status.SetLastHandledReconcileAt(t) }

// GetItems of this list.
func (l *KeaReservationList) GetItems() []resource.Managed {
	items := make([]resource.Managed, len(l.Items))
	for i := range l.Items {
		items[i] = &l.Items[i]
	}
	return items
}

// GetCondition of this ProviderConfig.
func (p *ProviderConfig) GetCondition(ct xpv2.ConditionType) xpv2.Condition {
	return p.Status.GetCondition(ct)
}

// SetConditions of this ProviderConfig.
func (p *ProviderConfig) SetConditions(c ...xpv2.Condition) { p.Status.SetConditions(c...) }

// GetSpec of this ProviderConfig.
func (p *ProviderConfig) GetSpec() *ProviderConfigSpec { return &p.Spec }

// GetServers of this ProviderConfig, as they were last found.
func (p *ProviderConfig) GetServers() []ServerStatus { return p.Status.Servers }

// SetServers of this ProviderConfig, and how many of them serve.
func (p *ProviderConfig) SetServers(s []ServerStatus, serving string) {
	p.Status.Servers, p.Status.Serving = s, serving
}

// GetUsers of this ProviderConfig.
func (p *ProviderConfig) GetUsers() int64 { return p.Status.Users }

// SetUsers of this ProviderConfig.
func (p *ProviderConfig) SetUsers(n int64) { p.Status.Users = n }

// GetOrphans of this ProviderConfig, as they were last counted.
func (p *ProviderConfig) GetOrphans() int64 { return p.Status.Orphans }

// SetOrphans of this ProviderConfig.
func (p *ProviderConfig) SetOrphans(n int64) { p.Status.Orphans = n }

// GetCondition of this ClusterProviderConfig.
func (p *ClusterProviderConfig) GetCondition(ct xpv2.ConditionType) xpv2.Condition {
	return p.Status.GetCondition(ct)
}

// SetConditions of this ClusterProviderConfig.
func (p *ClusterProviderConfig) SetConditions(c ...xpv2.Condition) { p.Status.SetConditions(c...) }

// GetSpec of this ClusterProviderConfig: what it has in common with a ProviderConfig.
func (p *ClusterProviderConfig) GetSpec() *ProviderConfigSpec { return &p.Spec.ProviderConfigSpec }

// GetServers of this ClusterProviderConfig, as they were last found.
func (p *ClusterProviderConfig) GetServers() []ServerStatus { return p.Status.Servers }

// SetServers of this ClusterProviderConfig, and how many of them serve.
func (p *ClusterProviderConfig) SetServers(s []ServerStatus, serving string) {
	p.Status.Servers, p.Status.Serving = s, serving
}

// GetUsers of this ClusterProviderConfig.
func (p *ClusterProviderConfig) GetUsers() int64 { return p.Status.Users }

// SetUsers of this ClusterProviderConfig.
func (p *ClusterProviderConfig) SetUsers(n int64) { p.Status.Users = n }

// GetOrphans of this ClusterProviderConfig, as they were last counted.
func (p *ClusterProviderConfig) GetOrphans() int64 { return p.Status.Orphans }

// SetOrphans of this ClusterProviderConfig.
func (p *ClusterProviderConfig) SetOrphans(n int64) { p.Status.Orphans = n }
