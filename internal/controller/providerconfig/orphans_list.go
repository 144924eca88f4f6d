// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	reservations "github.com/vitistack/provider-kea/internal/reservation"
)

// Orphan is a reservation in a store of a server that is marked as that of a KeaReservation of this
// cluster which does not exist.
type Orphan struct {
	Config connection.Ref
	// Resource is the "namespace/name" of the KeaReservation.
	Resource string
	Host     kea.Host
	Store    reservations.Store
}

// OrphanLister lists orphans, as the API server and the Kea servers have them at the moment: it uses no
// cache. It changes nothing.
type OrphanLister struct {
	// Reader reads from the API server.
	Reader  client.Reader
	Network connection.Network
}

// List returns the orphans of each provider configuration, or of the one that is named if only is not
// zero, in order. What cannot be read is left out, and the error says so of each.
func (l OrphanLister) List(ctx context.Context, only connection.Ref) ([]Orphan, error) {
	id, err := (&cluster{reader: l.Reader}).id(ctx)
	if err != nil {
		return nil, err
	}
	configs, err := l.configs(ctx, only)
	if err != nil {
		return nil, err
	}
	// Before Kea is read: one that is deleted meanwhile is removed from Kea first. What is created
	// meanwhile is looked up when it is found there.
	devices, err := l.devices(ctx)
	if err != nil {
		return nil, err
	}
	var (
		out  []Orphan
		errs []error
	)
	for _, ref := range slices.SortedFunc(maps.Keys(configs), func(a, b connection.Ref) int { return cmp.Compare(a.Key(), b.Key()) }) {
		found, err := l.ofConfig(ctx, ref, configs[ref], id, devices)
		out, errs = append(out, found...), append(errs, err)
	}
	slices.SortFunc(out, compareOrphans)
	return out, errors.Join(errs...)
}

func compareOrphans(a, b Orphan) int {
	return cmp.Or(
		cmp.Compare(a.Config.Key(), b.Config.Key()), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Host.HWAddress, b.Host.HWAddress),
		cmp.Compare(a.Store.String(), b.Store.String()), cmp.Compare(a.Host.SubnetID, b.Host.SubnetID),
	)
}

// configs returns the provider configurations to look at.
func (l OrphanLister) configs(ctx context.Context, only connection.Ref) (map[connection.Ref]config, error) {
	out := map[connection.Ref]config{}
	clusterConfigs, configs := &v1alpha1.ClusterProviderConfigList{}, &v1alpha1.ProviderConfigList{}
	for _, list := range []client.ObjectList{clusterConfigs, configs} {
		if err := l.Reader.List(ctx, list); err != nil {
			return nil, fmt.Errorf("cannot list provider configurations: %w", err)
		}
	}
	for i := range clusterConfigs.Items {
		pc := &clusterConfigs.Items[i]
		out[connection.Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: pc.Name}] = pc
	}
	for i := range configs.Items {
		pc := &configs.Items[i]
		out[connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: pc.Namespace, Name: pc.Name}] = pc
	}
	if only == (connection.Ref{}) {
		return out, nil
	}
	pc, ok := out[only]
	if !ok {
		return nil, fmt.Errorf("cannot find %s: kubectl get clusterproviderconfigs.kea.crossplane.io,providerconfigs.kea.crossplane.io --all-namespaces lists which there are", only)
	}
	return map[connection.Ref]config{only: pc}, nil
}

// devices returns the hardware addresses of all KeaReservations, by "namespace/name".
func (l OrphanLister) devices(ctx context.Context) (map[string]kea.HWAddress, error) {
	const page = 500
	out := map[string]kea.HWAddress{}
	for token := ""; ; {
		list := &v1alpha1.KeaReservationList{}
		if err := l.Reader.List(ctx, list, client.Limit(page), client.Continue(token)); err != nil {
			return nil, fmt.Errorf("cannot list KeaReservations: %w", err)
		}
		for i := range list.Items {
			mg := &list.Items[i]
			// One that cannot be parsed is none that a reservation was made for.
			hw, _ := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
			out[mg.Namespace+"/"+mg.Name] = hw
		}
		if token = list.GetContinue(); token == "" {
			return out, nil
		}
	}
}

// ofConfig returns the orphans of a provider configuration.
func (l OrphanLister) ofConfig(ctx context.Context, ref connection.Ref, pc config, id string, devices map[string]kea.HWAddress) ([]Orphan, error) {
	secrets, _, err := readSecrets(ctx, l.Reader, connection.SecretNames(pc.GetSpec(), ref.Namespace))
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref, err)
	}
	cfg, _, err := connection.Resolve(pc.GetSpec(), ref.Namespace, secrets)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref, err)
	}
	l.Network.Apply(ref, &cfg)
	var (
		out  []Orphan
		errs []error
		// read is set once a database that all servers share has been read.
		read bool
	)
	for _, s := range cfg.Servers {
		found, err := l.ofServer(ctx, s, id, devices)
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot read server %s of %s: %w", s.Name, ref, err))
		}
		for _, o := range found {
			if read && o.Store.Place == kea.TargetDatabase {
				continue
			}
			o.Config, o.Store.Server = ref, s.Name
			out = append(out, o)
		}
		read = read || cfg.Shared && err == nil
	}
	return out, errors.Join(errs...)
}

// ofServer returns the orphans of a server.
func (l OrphanLister) ofServer(ctx context.Context, s group.ServerConfig, id string, devices map[string]kea.HWAddress) ([]Orphan, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	c, err := kea.NewClient(s.Kea)
	if err != nil {
		return nil, err //nolint:wrapcheck // The caller names the server.
	}
	defer c.Close()
	const pageSize = 1000
	var out []Orphan
	began := time.Now()
	for page, err := range c.ReservationPages(ctx, pageSize) {
		if err != nil {
			return out, err //nolint:wrapcheck // As above.
		}
		took := time.Since(began)
		for i := range page.Hosts {
			o := Orphan{Host: page.Hosts[i], Store: reservations.Store{Place: page.Source}}
			owner, _ := reservations.OwnerOf(&kea.Reservation{UserContext: o.Host.UserContext()})
			if owner.Cluster != id || owner.Resource == "" || o.Host.HWAddress == "" || devices[owner.Resource] == o.Host.HWAddress {
				continue
			}
			o.Resource = owner.Resource
			gone, err := l.gone(ctx, o)
			if err != nil {
				return out, err
			}
			if gone {
				out = append(out, o)
			}
		}
		// Kea does nothing else while it answers: DHCP gets half of its time.
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return out, fmt.Errorf("cannot read on: %w", ctx.Err())
		}
		began = time.Now()
	}
	return out, nil
}

// gone reports whether the KeaReservation of an orphan does not exist now.
func (l OrphanLister) gone(ctx context.Context, o Orphan) (bool, error) {
	namespace, name, _ := strings.Cut(o.Resource, "/")
	if namespace == "" || name == "" || strings.Contains(name, "/") {
		return true, nil // No KeaReservation has such a name, and the API's client refuses it.
	}
	mg := &v1alpha1.KeaReservation{}
	err := l.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, mg)
	if kerrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot get KeaReservation %s: %w", o.Resource, err)
	}
	return !IsFor(mg, o.Host.HWAddress), nil
}
