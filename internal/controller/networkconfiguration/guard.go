// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// annotationConfirmRemovals set to "true", on a NetworkNamespace or on a provider
// configuration, lets KeaReservations be removed that are held.
const annotationConfirmRemovals = v1alpha1.Group + "/confirm-removals"

// conditionRemovalsHeld is the type of the condition of a NetworkConfiguration
// that has KeaReservations which are to be removed and are not, with its reason.
// The condition is also what is remembered across restarts.
const (
	conditionRemovalsHeld = "RemovalsHeld"
	reasonTooMany         = "TooManyRemovals"
)

const (
	// minRemovals can always be removed: a share of few is none.
	minRemovals = 5
	// removalWindow is the time in which removals are counted together.
	removalWindow = time.Minute
)

// confirmsRemovals reports whether the user has confirmed removals on an object.
func confirmsRemovals(o metav1.Object) bool {
	return o.GetAnnotations()[annotationConfirmRemovals] == "true"
}

// A budget limits how many KeaReservations of a provider configuration are removed
// within a minute because of what the provider read. Users' own removals do not
// pass through it. It is pure: the time is passed in.
//
// Once one is held, all that follow are: what comes later may well have the same
// cause, and would otherwise go at the same rate, minute by minute.
type budget struct {
	begun   time.Time
	limit   int
	removed map[types.UID]bool
	held    map[types.NamespacedName]bool
}

// limitOf returns how many of a number of KeaReservations may be removed: with 100
// percent, those too that come while they are.
func limitOf(all, percent int) int {
	if percent >= 100 {
		return math.MaxInt
	}
	return max(minRemovals, all*percent/100)
}

// admit reports whether a KeaReservation of a NetworkConfiguration may be removed
// now. limit is asked for when a new minute begins.
func (b *budget) admit(r types.UID, nc types.NamespacedName, now time.Time, limit func() int) bool {
	if b.held[nc] {
		return false
	}
	if b.removed == nil || now.Sub(b.begun) >= removalWindow {
		b.begun, b.limit, b.removed = now, limit(), map[types.UID]bool{}
	}
	switch {
	case b.removed[r]: // the cache does not have its deletion yet
		return true
	case len(b.held) > 0 || len(b.removed) >= b.limit:
		b.hold(nc)
		return false
	}
	b.removed[r] = true
	return true
}

func (b *budget) hold(nc types.NamespacedName) {
	if b.held == nil {
		b.held = map[types.NamespacedName]bool{}
	}
	b.held[nc] = true
}

// A guard has the budget of each provider configuration. It may be used by several
// goroutines at once.
type guard struct {
	percent int

	mu      sync.Mutex // guards budgets
	budgets map[connection.Ref]*budget
}

func newGuard(percent int) *guard {
	return &guard{percent: percent, budgets: map[connection.Ref]*budget{}}
}

// split returns those removals of a NetworkConfiguration that may be carried out,
// and those that are held. before reports that some were held before a restart,
// confirmed whether a user has confirmed removals from a provider configuration, and
// count how many KeaReservations that has.
func (g *guard) split(nc types.NamespacedName, all []removal, before bool, now time.Time, confirmed func(connection.Ref) bool, count func(connection.Ref) int) (admitted, held []removal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	still := map[connection.Ref]bool{}
	for _, r := range all {
		ref := connection.RefOf(r.KeaReservation)
		if !r.read || confirmed(ref) {
			admitted = append(admitted, r)
			continue
		}
		b := g.budgets[ref]
		if b == nil {
			b = &budget{}
			g.budgets[ref] = b
		}
		if before {
			b.hold(nc)
		}
		if b.admit(r.UID, nc, now, func() int { return limitOf(count(ref), g.percent) }) {
			admitted = append(admitted, r)
			continue
		}
		held = append(held, r)
		still[ref] = true
	}
	for ref, b := range g.budgets {
		if !still[ref] {
			delete(b.held, nc)
		}
	}
	return admitted, held
}

// forget drops what is remembered of a NetworkConfiguration that is gone.
func (g *guard) forget(nc types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range g.budgets {
		delete(b.held, nc)
	}
}

// removalsHeld reports whether a NetworkConfiguration's status says that removals
// are held.
func removalsHeld(nc *vitistack.NetworkConfiguration) bool {
	return meta.IsStatusConditionTrue(nc.Status.Conditions, conditionRemovalsHeld)
}

// heldText says which removals are held, why, and what to do; "" if none are. It does
// not name how many there are: each change of it is a write.
func (g *guard) heldText(s *situation, p plan) string {
	if len(p.held) == 0 {
		return ""
	}
	ref := connection.RefOf(p.held[0].KeaReservation)
	where := ref.Kind + " " + ref.Name
	if nn, _ := networkOf(s.nc, s.networks); nn != nil {
		where = "NetworkNamespace " + nn.Name
	}
	return fmt.Sprintf("KeaReservations of %s %s stay although %s: that would remove more than %d%% of its KeaReservations (at least %d) within a minute. "+
		"Change back what has changed, or annotate %s with %s: \"true\" to have them removed",
		ref.Kind, ref.Name, causeOf(s, p), g.percent, minRemovals, where, annotationConfirmRemovals)
}

// causeOf says what the provider has read that leads to the removals that are held.
func causeOf(s *situation, p plan) string {
	switch {
	case !p.claim.ours:
		return "the NetworkConfiguration is no longer the provider's, by its NetworkNamespace"
	case p.claim.place == nil || !slices.Contains(macsOf(s.nc), hwAddressOf(p.held[0].KeaReservation)):
		return "hardware addresses are gone from it without an edit"
	}
	return "its place is now " + p.claim.place.String()
}
