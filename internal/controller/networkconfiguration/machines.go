// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Indexes of NetworkConfigurations.
var (
	// byMAC has their hardware addresses in canonical form.
	byMAC = cached.NewIndex("mac", macKeys)

	// byReservation has the KeaReservations that they want, as namespace/name.
	byReservation = cached.NewIndex("reservation", reservationKeys)
)

func macKeys(nc *vitistack.NetworkConfiguration) []string {
	macs := macsOf(nc)
	out := make([]string, len(macs))
	for i, mac := range macs {
		out[i] = mac.String()
	}
	return out
}

func reservationKeys(nc *vitistack.NetworkConfiguration) []string {
	macs := macsOf(nc)
	out := make([]string, len(macs))
	for i, mac := range macs {
		out[i] = nc.Namespace + "/" + reservationName(nc.Name, mac)
	}
	return out
}

// machines finds NetworkConfigurations in a cache. What it returns is the cache's, and must not be
// changed.
type machines struct{ store toolscache.Indexer }

// withMAC returns those that name a hardware address.
func (m machines) withMAC(mac kea.HWAddress) []*vitistack.NetworkConfiguration {
	return byMAC.Find(m.store, mac.String())
}

// wanting returns those that want a KeaReservation of a name.
func (m machines) wanting(namespace, name string) []*vitistack.NetworkConfiguration {
	return byReservation.Find(m.store, namespace+"/"+name)
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
