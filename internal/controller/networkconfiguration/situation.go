// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"slices"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// situationOf reads the situation of a NetworkConfiguration from the caches. What is in
// it is theirs, and must not be changed.
func (r *reconciler) situationOf(ctx context.Context, nc *vitistack.NetworkConfiguration, networks networksOf) (*situation, error) {
	s := &situation{nc: nc, named: map[string]*v1alpha1.KeaReservation{}}

	var err error
	if s.networks, err = networks.in(ctx, nc.Namespace); err != nil {
		return nil, err
	}
	s.owned = r.reservations.ControlledBy(nc.Namespace, nc.UID)
	at := r.policy.claimOf(nc, s.networks).place
	for _, mac := range macsOf(nc) {
		names := []string{reservationName(nc.Name, mac)}
		if at != nil {
			names = append(names, movedName(nc.Name, mac, at))
		}
		for _, name := range names {
			if err := r.addNamed(ctx, s, name); err != nil {
				return nil, err
			}
		}
		if err := r.addSameMAC(ctx, s, mac); err != nil {
			return nil, err
		}
		if err := r.addRivals(ctx, s, mac, networks); err != nil {
			return nil, err
		}
	}
	if at != nil && slices.ContainsFunc(s.owned, func(have *v1alpha1.KeaReservation) bool { return !inPlace(have, at) }) {
		r.addPlace(ctx, s, at)
	}
	return s, nil
}

// addPlace adds what is known about the place that a NetworkConfiguration's
// reservations move to.
func (r *reconciler) addPlace(ctx context.Context, s *situation, at *place) {
	r.waits.add(client.ObjectKeyFromObject(s.nc), at.config) // first, so that no change is missed
	known := r.places(ctx)
	s.cannotMove, s.markedBy = known.works(at, s.nc.Namespace), map[kea.HWAddress]string{}
	for _, mac := range macsOf(s.nc) {
		s.markedBy[mac] = known.owner(at, mac)
	}
}

// addNamed adds the KeaReservation that has a name, if there is one.
func (r *reconciler) addNamed(ctx context.Context, s *situation, name string) error {
	have := &v1alpha1.KeaReservation{}
	err := r.kube.Get(ctx, client.ObjectKey{Namespace: s.nc.Namespace, Name: name}, have, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		s.named[name] = have
	case !kerrors.IsNotFound(err):
		return fmt.Errorf("cannot get KeaReservation %s: %w", name, err)
	}
	return nil
}

// addSameMAC adds the KeaReservations for a device that nc may adopt, or that
// another NetworkConfiguration controls.
func (r *reconciler) addSameMAC(ctx context.Context, s *situation, mac kea.HWAddress) error {
	for _, have := range r.reservations.WithHWAddress(mac) {
		if s.addOwn(have) {
			continue
		}
		owner, err := r.ownerOf(ctx, have)
		if err != nil {
			return err
		}
		if owner != nil && owner.UID != s.nc.UID {
			s.others = append(s.others, otherChild{have, owner})
		}
	}
	return nil
}

// addOwn adds a KeaReservation for a device of nc that nc controls or may adopt; false for another.
// The cache may have got it, or that nc controls it, since those that nc controls were read: a second
// one would be created.
func (s *situation) addOwn(have *v1alpha1.KeaReservation) bool {
	switch {
	case orphanOf(s.nc, have):
		s.orphans = append(s.orphans, have)
	case !controls(s.nc, have):
		return false
	case !slices.ContainsFunc(s.owned, func(r *v1alpha1.KeaReservation) bool { return r.UID == have.UID }):
		s.owned = append(s.owned, have)
	}
	return true
}

// ownerOf returns the NetworkConfiguration that controls a KeaReservation; nil if
// there is none. What the reference says counts only if there is such an object.
func (r *reconciler) ownerOf(ctx context.Context, have *v1alpha1.KeaReservation) (*vitistack.NetworkConfiguration, error) {
	name, ok := controllerOf(have)
	if !ok {
		return nil, nil //nolint:nilnil // There is none, and that is no error.
	}
	owner := &vitistack.NetworkConfiguration{}
	err := r.vitistack.Get(ctx, client.ObjectKey{Namespace: have.Namespace, Name: name}, owner, client.UnsafeDisableDeepCopy)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("cannot get NetworkConfiguration %s/%s: %w", have.Namespace, name, err)
	case err == nil && controls(owner, have):
		return owner, nil
	}
	return nil, nil //nolint:nilnil // As above.
}

func (r *reconciler) addRivals(ctx context.Context, s *situation, mac kea.HWAddress, networks networksOf) error {
	for _, other := range r.machines.withMAC(mac) {
		if other.UID == s.nc.UID {
			continue
		}
		there, err := networks.in(ctx, other.Namespace)
		if err != nil {
			return err
		}
		s.rivals = append(s.rivals, rival{nc: other, claim: r.policy.claimOf(other, there)})
	}
	return nil
}

// networksOf reads the NetworkNamespaces of each namespace once.
type networksOf struct {
	reader client.Reader
	known  map[string][]vitistack.NetworkNamespace
}

func newNetworksOf(reader client.Reader) networksOf {
	return networksOf{reader: reader, known: map[string][]vitistack.NetworkNamespace{}}
}

func (n networksOf) in(ctx context.Context, namespace string) ([]vitistack.NetworkNamespace, error) {
	if known, ok := n.known[namespace]; ok {
		return known, nil
	}
	l := &vitistack.NetworkNamespaceList{}
	if err := n.reader.List(ctx, l, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("cannot list NetworkNamespaces: %w", err)
	}
	n.known[namespace] = l.Items
	return l.Items, nil
}
