// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"slices"

	toolscache "k8s.io/client-go/tools/cache"

	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// byMAC is an index of NetworkConfigurations by their hardware addresses in canonical form.
var byMAC = cached.NewIndex("mac", func(nc *vitistack.NetworkConfiguration) []string {
	macs := macsOf(nc)
	out := make([]string, len(macs))
	for i, mac := range macs {
		out[i] = mac.String()
	}
	return out
})

// machines finds NetworkConfigurations in a cache. What it returns is the cache's, and must not be
// changed.
type machines struct{ store toolscache.Indexer }

// withMAC returns those that name a hardware address.
func (m machines) withMAC(mac kea.HWAddress) []*vitistack.NetworkConfiguration {
	return byMAC.Find(m.store, mac.String())
}

// wanting returns those that want a KeaReservation of a name. They are found by the hardware
// address in it, which needs no index of its own.
func (m machines) wanting(namespace, name string) []*vitistack.NetworkConfiguration {
	mac, ok := macIn(name)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(m.withMAC(mac), func(nc *vitistack.NetworkConfiguration) bool {
		return nc.Namespace != namespace || reservationName(nc.Name, mac) != name
	})
}

// in returns those in a namespace; all where that is "".
func (m machines) in(namespace string) []*vitistack.NetworkConfiguration {
	var objects []any
	if namespace == "" {
		objects = m.store.List()
	} else {
		objects, _ = m.store.ByIndex(toolscache.NamespaceIndex, namespace) // fails only without the index
	}
	out := make([]*vitistack.NetworkConfiguration, 0, len(objects))
	for _, o := range objects {
		if nc, ok := o.(*vitistack.NetworkConfiguration); ok {
			out = append(out, nc)
		}
	}
	return out
}
