// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	extinformers "k8s.io/apiextensions-apiserver/pkg/client/informers/externalversions/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// The CRDs that the controller needs. KeaReservation's is among them: with
// Crossplane's activation policies it too may come later.
var (
	crdNetworkConfiguration = vitistack.NetworkConfigurationResource.String()
	crdNetworkNamespace     = vitistack.NetworkNamespaceResource.String()
	crdKeaReservation       = "keareservations." + v1alpha1.Group
)

// kinds is what the CRDs tell.
type kinds struct {
	// known tells whether all CRDs could be asked for, there or not.
	known bool

	networkConfiguration, networkNamespace, keaReservation bool

	// allocation tells whether NetworkConfigurations keep the successor's fields.
	allocation bool
}

func (k kinds) established() bool {
	return k.networkConfiguration && k.networkNamespace && k.keaReservation
}

// A crdWatch watches these CRDs, each by its name. The informer that the gate of
// crossplane-runtime is fed from has all of a cluster's CRDs, most often without
// their schemas.
type crdWatch struct {
	informers []cache.SharedIndexInformer

	// changed has an item after a CRD changed.
	changed chan struct{}

	mu   sync.Mutex
	crds map[string]*extv1.CustomResourceDefinition
}

func newCRDWatch(c extclient.Interface, log logging.Logger) *crdWatch {
	w := &crdWatch{changed: make(chan struct{}, 1), crds: map[string]*extv1.CustomResourceDefinition{}}
	for _, name := range []string{crdNetworkConfiguration, crdNetworkNamespace, crdKeaReservation} {
		only := func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
		}
		i := extinformers.NewFilteredCustomResourceDefinitionInformer(c, 0, cache.Indexers{}, only)
		// These fail only before an informer starts, and ours have not.
		_ = i.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
			log.Debug("Cannot watch CustomResourceDefinition", "name", name, "error", err)
		})
		_, _ = i.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { w.set(name, o) },
			UpdateFunc: func(_, o any) { w.set(name, o) },
			DeleteFunc: func(any) { w.set(name, nil) },
		})
		w.informers = append(w.informers, i)
	}
	return w
}

// start starts the watch and returns a function that waits until it has ended,
// once ctx has.
func (w *crdWatch) start(ctx context.Context) (wait func()) {
	var wg sync.WaitGroup
	for _, i := range w.informers {
		wg.Go(func() { i.RunWithContext(ctx) })
		// A CRD that is not there makes no event. That it is known not to be there
		// is news all the same.
		wg.Go(func() {
			if cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
				w.notify()
			}
		})
	}
	return wg.Wait
}

func (w *crdWatch) set(name string, o any) {
	crd, _ := o.(*extv1.CustomResourceDefinition) // nil when it is gone
	w.mu.Lock()
	w.crds[name] = crd
	w.mu.Unlock()
	w.notify()
}

func (w *crdWatch) notify() {
	select {
	case w.changed <- struct{}{}:
	default: // there is one already that nobody has seen
	}
}

// kinds returns what the CRDs tell now.
func (w *crdWatch) kinds() kinds {
	k := kinds{known: true}
	for _, i := range w.informers {
		k.known = k.known && i.HasSynced()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	k.networkConfiguration = serves(w.crds[crdNetworkConfiguration], vitistack.GroupVersion.Version)
	k.networkNamespace = serves(w.crds[crdNetworkNamespace], vitistack.GroupVersion.Version)
	k.keaReservation = serves(w.crds[crdKeaReservation], v1alpha1.SchemeGroupVersion.Version)
	k.allocation = k.networkConfiguration && vitistack.HasAllocationFields(w.crds[crdNetworkConfiguration])
	return k
}

// whileSame returns when the CRDs tell something else, or ctx ends.
func (w *crdWatch) whileSame(ctx context.Context, k kinds) {
	for ctx.Err() == nil && w.kinds() == k {
		select {
		case <-ctx.Done():
		case <-w.changed:
		}
	}
}

// serves tells whether a version of a CRD's kind can be used.
func serves(crd *extv1.CustomResourceDefinition, version string) bool {
	if crd == nil || !crd.DeletionTimestamp.IsZero() {
		return false
	}
	served, established := false, false
	for _, v := range crd.Spec.Versions {
		served = served || v.Name == version && v.Served
	}
	for _, c := range crd.Status.Conditions {
		established = established || c.Type == extv1.Established && c.Status == extv1.ConditionTrue
	}
	return served && established
}
