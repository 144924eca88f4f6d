// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// known is what is known of an intent on the servers of a group.
type known struct {
	// views of the stores of all servers that have been read. Those of servers that cannot be used
	// are Away.
	views []reservation.View
	// errs says, by server, why it cannot be used.
	errs map[string]error
	// unread are the servers of which nothing is known.
	unread []string
}

// known returns what is known of an intent. A server can be used if usable returns nil: that is silent
// for servers that commands are sent to, or unusable for those of which what is known still holds.
func (g *Group) known(in reservation.Intent, usable func(*server) error) known {
	out := known{errs: map[string]error{}}
	all := g.all()
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, s.name)
		if err := usable(s); err != nil {
			out.errs[s.name] = err
		}
	}
	views, unread := g.mirror.Views(names, in, time.Now())
	for _, name := range names {
		if err := unread[name]; err != nil {
			out.unread = append(out.unread, name)
			if out.errs[name] == nil {
				out.errs[name] = err
			}
		}
	}
	for i := range views {
		views[i].Away = out.errs[views[i].Store.Server] != nil
	}
	g.share(views)
	out.views = views
	return out
}

// atLast returns what is known of an intent, with the servers that answer; or if none does, with those
// of which what is known still holds. An error if there are none of these either.
func (g *Group) atLast(in reservation.Intent) (known, error) {
	k := g.known(in, (*server).silent)
	if g.check(k) != nil {
		k = g.known(in, (*server).unusable)
	}
	if g.check(k) == nil {
		return k, nil
	}
	g.trackBehind(in, k)
	// What was behind may have been notified just before.
	k = g.known(in, (*server).unusable)
	return k, g.check(k)
}

// check returns an error if nothing can be said of an intent: no server that can be used has its
// subnet, and another one may have it.
func (g *Group) check(k known) error {
	mayHave := len(k.unread) > 0
	usable := false
	for _, v := range k.views {
		if !v.Away && v.SubnetFound {
			return nil
		}
		usable = usable || !v.Away
		mayHave = mayHave || v.SubnetFound
	}
	if usable && !mayHave {
		return nil
	}
	return g.join(k.errs)
}

// share has the views of databases that are one say what the first of them says that can be reached.
func (g *Group) share(views []reservation.View) {
	isDatabase := func(v reservation.View) bool {
		return v.Store.Place == kea.TargetDatabase && v.Primary && v.SubnetFound
	}
	first := slices.IndexFunc(views, func(v reservation.View) bool { return isDatabase(v) && !v.Away })
	if !g.isShared() || first < 0 {
		return
	}
	leader := views[first]
	for i := range views {
		if v := &views[i]; i != first && isDatabase(*v) {
			at := leader.Store
			v.Shared, v.Host, v.Vanished, v.Rewrite, v.Refusal, v.Holders = &at, leader.Host, leader.Vanished, leader.Rewrite, leader.Refusal, leader.Holders
		}
	}
}

// isShared reports whether the hosts-databases of the servers are said to be one.
func (g *Group) isShared() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.shared
}

// trackBehind remembers that a device is to be looked at again when a server can be used that cannot
// be now.
func (g *Group) trackBehind(in reservation.Intent, k known) {
	for name := range k.errs {
		g.server(name).addBehind(in.HWAddress)
	}
}

// trackPlan does the same, where a plan says that a server needs something.
func (g *Group) trackPlan(in reservation.Intent, p reservation.Plan, k known) {
	for _, sp := range p.Servers {
		if sp.Away && !reservation.InfoOf(sp.State).Held {
			g.server(sp.Name).addBehind(in.HWAddress)
		}
	}
	for _, name := range k.unread {
		g.server(name).addBehind(in.HWAddress)
	}
}

// key returns the device's key on the server of a view.
func key(v reservation.View, in reservation.Intent) mirror.Key {
	return mirror.Key{SubnetID: v.Subnet.ID, HW: in.HWAddress}
}
