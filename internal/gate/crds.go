// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/customresourcesgate"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	extinformers "k8s.io/apiextensions-apiserver/pkg/client/informers/externalversions/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// A CRD that a part needs.
type CRD struct {
	schema.GroupVersionResource

	// Otherwise are versions that do as well if Version is not served.
	Otherwise []string

	// Schema keeps the schema, for a part that reads it.
	Schema bool

	// Created means that the part creates objects of the kind. It stops as soon as
	// the CRD is being deleted: it would recreate what is deleted with the CRD. Other
	// parts go on until the CRD is gone, as they may have finalizers to remove.
	Created bool

	// Remedy says what to do if the CRD is missing.
	Remedy string
}

func (c CRD) name() string { return c.GroupResource().String() }

// CRDs are those that a part was started with, by resource.
type CRDs map[schema.GroupResource]*extv1.CustomResourceDefinition

// same reports whether both are the same CRDs, unchanged. The generation changes
// with everything in a CRD's spec.
func (c CRDs) same(other CRDs) bool {
	for name, crd := range c {
		o, ok := other[name]
		if !ok || o.UID != crd.UID || o.Generation != crd.Generation {
			return false
		}
	}
	return len(c) == len(other)
}

// terminating reports whether one of them is being deleted.
func (c CRDs) terminating() bool {
	for _, crd := range c {
		if !crd.DeletionTimestamp.IsZero() {
			return true
		}
	}
	return false
}

// A crdWatch watches CRDs, each by its name: a cluster may have thousands. It may
// be used by several goroutines at once.
type crdWatch struct {
	informers map[string]cache.SharedIndexInformer
	changed   func()
}

func newCRDWatch(c extclient.Interface, log logging.Logger, needs []Need, changed func()) *crdWatch {
	w := &crdWatch{informers: map[string]cache.SharedIndexInformer{}, changed: changed}
	keep := map[string]bool{}
	for _, n := range needs {
		for _, crd := range n.CRDs {
			keep[crd.name()] = keep[crd.name()] || crd.Schema
		}
	}
	for name, schema := range keep {
		w.informers[name] = newInformer(c, log, name, schema, changed)
	}
	return w
}

func newInformer(c extclient.Interface, log logging.Logger, name string, schema bool, changed func()) cache.SharedIndexInformer {
	i := extinformers.NewFilteredCustomResourceDefinitionInformer(c, 0, cache.Indexers{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	})
	failures := repeatLogger{logger: log.WithValues("name", name)}
	// These fail only if the informer has started.
	_ = i.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		failures.log("Cannot watch CustomResourceDefinition", err)
	})
	if !schema {
		_ = i.SetTransform(customresourcesgate.TransformStripCRDSchema)
	}
	_, _ = i.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changed() },
		UpdateFunc: func(any, any) { changed() },
		DeleteFunc: func(any) { changed() },
	})
	return i
}

// run has spawn run the watches, until ctx ends. It does not block.
func (w *crdWatch) run(ctx context.Context, spawn func(func())) {
	for _, i := range w.informers {
		spawn(func() { i.RunWithContext(ctx) })
		// There is no event for a CRD that does not exist, but that it is known not to
		// exist is a change.
		spawn(func() {
			if cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
				w.changed()
			}
		})
	}
}

// known reports whether all CRDs have been listed, existing or not.
func (w *crdWatch) known() bool {
	for _, i := range w.informers {
		if !i.HasSynced() {
			return false
		}
	}
	return true
}

// split returns those of the needed CRDs that are served, and those that are not.
func (w *crdWatch) split(needs []CRD) (CRDs, []CRD) {
	found, missing := CRDs{}, []CRD(nil)
	for _, need := range needs {
		var crd *extv1.CustomResourceDefinition
		for _, o := range w.informers[need.name()].GetStore().List() { // there is one at most
			crd, _ = o.(*extv1.CustomResourceDefinition)
		}
		if serves(crd, need) {
			found[need.GroupResource()] = crd
			continue
		}
		missing = append(missing, need)
	}
	return found, missing
}

// serves reports whether a CRD's kind can be used as it is needed. One that is
// being deleted is served until the last of its objects is gone.
func serves(crd *extv1.CustomResourceDefinition, need CRD) bool {
	if crd == nil || need.Created && !crd.DeletionTimestamp.IsZero() {
		return false
	}
	served, established := false, false
	for _, v := range crd.Spec.Versions {
		served = served || v.Served && (v.Name == need.Version || slices.Contains(need.Otherwise, v.Name))
	}
	for _, c := range crd.Status.Conditions {
		established = established || c.Type == extv1.Established && c.Status == extv1.ConditionTrue
	}
	return served && established
}

// waitingText says what a part waits for.
func waitingText(p Part, missing []CRD) string {
	names, remedies := make([]string, len(missing)), make([]string, len(missing))
	for i, crd := range missing {
		names[i], remedies[i] = crd.name(), crd.Remedy
	}
	return fmt.Sprintf("Not serving %s: CustomResourceDefinition %s is missing: %s", p.Name, strings.Join(names, ", "), strings.Join(slices.Compact(remedies), "; "))
}
