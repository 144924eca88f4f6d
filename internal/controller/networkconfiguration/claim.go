// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// annotationProviderConfig, on a NetworkNamespace, names the provider
// configuration that its reservations are made with, as <Kind>/<name>.
const annotationProviderConfig = v1alpha1.Group + "/provider-config"

// A policy is what the provider's user decided for all NetworkConfigurations.
type policy struct {
	// strict refuses NetworkConfigurations without a provider.
	strict bool

	// strictNetworks refuses NetworkNamespaces without ipAllocation.
	strictNetworks bool

	// config is used if a NetworkNamespace names none. It has no namespace.
	config connection.Ref
}

// A place is where the reservations of a NetworkConfiguration go.
type place struct {
	network string // name of the NetworkNamespace
	prefix  string // as the NetworkNamespace has it
	subnet  string // the same without host bits
	config  connection.Ref
}

// A claim says whether a NetworkConfiguration is the provider's, and where its
// reservations go.
type claim struct {
	// ours is false for one that the provider does not touch.
	ours bool

	// place is nil while it is not known, and then either waiting or wrong says
	// why: waiting what will pass, wrong what a user has to correct.
	place   *place
	waiting string
	wrong   string

	// guess says how the NetworkNamespace was chosen, if it was not clear.
	guess string
}

// claimOf returns the claim to a NetworkConfiguration whose namespace has the given
// NetworkNamespaces.
func (p policy) claimOf(nc *vitistack.NetworkConfiguration, networks []vitistack.NetworkNamespace) claim {
	if servedByOther(nc) {
		return claim{}
	}
	nn, guess := networkOf(nc, networks)
	if nn == nil {
		return claim{ours: true, waiting: missing(nc)}
	}
	if !servedByKea(nn) {
		return claim{}
	}

	s := claim{ours: true, guess: guess}
	if s.wrong = p.refusal(nc, nn); s.wrong != "" {
		return s
	}
	config, err := p.configOf(nn)
	if err != nil {
		s.wrong = err.Error()
		return s
	}
	if phase := nn.Status.ProvisioningPhase; phase != "" && phase != vitistack.ProvisioningPhaseReady {
		s.waiting = fmt.Sprintf("waiting for NetworkNamespace %s to be provisioned: its status.provisioningPhase is %s", nn.Name, phase)
		return s
	}
	prefix := strings.TrimSpace(nn.Status.IPv4Prefix)
	if prefix == "" {
		s.waiting = fmt.Sprintf("waiting for NetworkNamespace %s to get its status.ipv4Prefix", nn.Name)
		return s
	}
	parsed, err := netip.ParsePrefix(prefix)
	if err != nil || !parsed.Addr().Is4() {
		s.wrong = fmt.Sprintf("status.ipv4Prefix of NetworkNamespace %s is %q: it must be an IPv4 prefix, for example 10.123.0.0/24", nn.Name, prefix)
		return s
	}
	s.place = &place{network: nn.Name, prefix: prefix, subnet: parsed.Masked().String(), config: config}
	return s
}

// providerOf returns a NetworkConfiguration's own provider. Most often there is none, as
// kubevirt-operator never sets one.
func providerOf(nc *vitistack.NetworkConfiguration) string {
	return strings.TrimSpace(nc.Spec.Provider)
}

// refusal says why a strict policy does not take what is not said for Kea, or returns "". As with
// kea-operator, that is an error for a user to correct. What was reserved before stays: strictness
// that is switched on must not take their addresses from machines that run.
func (p policy) refusal(nc *vitistack.NetworkConfiguration, nn *vitistack.NetworkNamespace) string {
	switch {
	case p.strict && providerOf(nc) == "":
		return "spec.provider is not set, and --strict-provider refuses to default to kea: set spec.provider to kea"
	case p.strictNetworks && nn.Spec.IPAllocation == nil:
		return fmt.Sprintf("NetworkNamespace %s has no spec.ipAllocation, and --strict-provider refuses to default to DHCP: "+
			"set its spec.ipAllocation.type to dhcp", nn.Name)
	}
	return ""
}

// servedByOther reports whether a NetworkConfiguration names another provider than
// Kea.
func servedByOther(nc *vitistack.NetworkConfiguration) bool {
	provider := providerOf(nc)
	return provider != "" && !strings.EqualFold(provider, vitistack.ProviderKea)
}

// servedByKea reports whether a NetworkNamespace's addresses come from Kea, which
// is the default. The older CRD has no field for it.
func servedByKea(nn *vitistack.NetworkNamespace) bool {
	a := nn.Spec.IPAllocation
	if a == nil {
		return true
	}
	kind, provider := strings.TrimSpace(a.Type), strings.TrimSpace(a.Provider)
	return (kind == "" || strings.EqualFold(kind, vitistack.AllocationTypeDHCP)) &&
		(provider == "" || strings.EqualFold(provider, vitistack.ProviderKea))
}

// networkOf returns a NetworkConfiguration's NetworkNamespace, or nil if there is
// none, and how it was chosen if that was not clear.
func networkOf(nc *vitistack.NetworkConfiguration, networks []vitistack.NetworkNamespace) (*vitistack.NetworkNamespace, string) {
	var oldest *vitistack.NetworkNamespace
	for i := range networks {
		nn := &networks[i]
		if nn.Name == nc.Spec.NetworkNamespaceName {
			return nn, ""
		}
		if oldest == nil || older(nn, oldest) {
			oldest = nn
		}
	}
	switch {
	case nc.Spec.NetworkNamespaceName != "" || oldest == nil:
		return nil, ""
	case len(networks) == 1:
		return oldest, ""
	}
	return oldest, fmt.Sprintf("namespace %s has %d NetworkNamespaces and spec.networkNamespaceName names none: taking the oldest, %s",
		nc.Namespace, len(networks), oldest.Name)
}

func missing(nc *vitistack.NetworkConfiguration) string {
	if name := nc.Spec.NetworkNamespaceName; name != "" {
		return fmt.Sprintf("waiting for NetworkNamespace %s, which spec.networkNamespaceName names", name)
	}
	return "waiting for a NetworkNamespace in namespace " + nc.Namespace
}

// configOf returns the provider configuration of a NetworkNamespace.
func (p policy) configOf(nn *vitistack.NetworkNamespace) (connection.Ref, error) {
	value, ok := nn.Annotations[annotationProviderConfig]
	if !ok {
		return p.config.In(nn.Namespace), nil
	}
	ref, err := connection.ParseRef(value)
	if err != nil {
		return connection.Ref{}, fmt.Errorf("annotation %s of NetworkNamespace %s is %q: %w", annotationProviderConfig, nn.Name, value, err)
	}
	return ref.In(nn.Namespace), nil
}
