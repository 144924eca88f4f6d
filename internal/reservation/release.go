// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Copy is a reservation of a device in a store.
type Copy struct {
	Store Store
	// Primary reports whether the server's reservations are written to this store.
	Primary bool
	Host    kea.Reservation
}

// Remains returns those of a device's copies that are left to remove for an owner: marked as the
// owner's, also by a UID that the cluster had before, or unmarked where the owner held the
// reservation (wasReserved). An unmarked one in a database beside memory is an inventory's, which was
// never written to.
func Remains(copies []Copy, owner Owner, g Grant, wasReserved bool) []Copy {
	var out []Copy
	for _, c := range copies {
		marked, ok := OwnerOf(&c.Host)
		written := c.Primary || c.Store.Place == kea.TargetMemory
		if (ok && g.IsOwn(marked, owner)) || (!ok && wasReserved && written) {
			out = append(out, c)
		}
	}
	return out
}

// PutBack returns the reservation to put back after Kea lost it over an update from old to want:
// old, with the content of options that Kea does not return where want has it.
func PutBack(old, want kea.Reservation) kea.Reservation {
	out := old.Clone()
	for i, o := range out.OptionData {
		if !o.Opaque() {
			continue
		}
		for _, w := range want.OptionData {
			if sameEntry(o, w) && !w.Opaque() {
				out.OptionData[i] = w.Clone()
			}
		}
	}
	return out
}

// Same reports whether a reservation that was read back is the one that was written.
func Same(want, got kea.Reservation) bool { return len(differences(got, want)) == 0 }

// NotKept names what the intent sets and Kea did not keep, though it accepted the write; "" if it
// kept everything, be it in another spelling.
func NotKept(want, got kea.Reservation, in Intent) string {
	wanted, has := scalarFields(&want, in), scalarFields(&got, in)
	for i, f := range wanted {
		if f.want != nil && *f.at != "" && *has[i].at == "" {
			return f.name
		}
	}
	// The API accepts no name of a class that Kea would write in another way.
	if in.ClientClasses != nil && !slices.Equal(want.ClientClasses, got.ClientClasses) {
		return fieldClientClasses
	}
	left := slices.Clone(got.OptionData)
	for _, w := range in.OptionData {
		i := slices.IndexFunc(left, func(g kea.OptionData) bool { return sameOption(g, w) && sameFlags(g, w) })
		if i < 0 {
			i = slices.IndexFunc(left, func(g kea.OptionData) bool { return sameOption(g, w) })
			if i < 0 {
				return OptionName(w)
			}
			return "the flags and client classes of " + OptionName(left[i])
		}
		left = slices.Delete(left, i, i+1)
	}
	return ""
}

func sameFlags(a, b kea.OptionData) bool {
	return sameGuard(a, b) && isSet(a.AlwaysSend) == isSet(b.AlwaysSend) && isSet(a.NeverSend) == isSet(b.NeverSend)
}
