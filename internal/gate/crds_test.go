// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/google/go-cmp/cmp"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	machines = CRD{GroupVersionResource: schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "machines"}}
	racks    = CRD{GroupVersionResource: schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "racks"}}
)

// crdOf returns a CRD that is served, changed as wanted.
func crdOf(c CRD, change ...func(*extv1.CustomResourceDefinition)) *extv1.CustomResourceDefinition {
	crd := &extv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: c.name(), UID: "1", Generation: 1}}
	crd.Spec.Versions = []extv1.CustomResourceDefinitionVersion{{Name: "v1alpha1", Served: true}, {Name: "v1", Served: true}}
	crd.Status.Conditions = []extv1.CustomResourceDefinitionCondition{{Type: extv1.Established, Status: extv1.ConditionTrue}}
	for _, f := range change {
		f(crd)
	}
	return crd
}

// terminating is what a deletion makes of a CRD that has objects.
func terminating(crd *extv1.CustomResourceDefinition) {
	crd.DeletionTimestamp = &metav1.Time{Time: time.Unix(0, 0)}
	crd.Generation++
}

func changed(crd *extv1.CustomResourceDefinition) { crd.Generation++ }

// watched is a watch that has seen some of the CRDs.
func watched(t *testing.T, needs []CRD, crds ...*extv1.CustomResourceDefinition) *crdWatch {
	t.Helper()
	w := newCRDWatch(nil, logging.NewNopLogger(), []Need{{CRDs: needs}}, func() {})
	for _, crd := range crds {
		if err := w.informers[crd.Name].GetStore().Add(crd); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestSplit(t *testing.T) {
	created := machines
	created.Created = true
	either := machines
	either.Otherwise = []string{"v1alpha1"}
	cases := map[string]struct {
		reason string
		need   CRD
		crd    *extv1.CustomResourceDefinition
		found  bool
	}{
		"Served":    {reason: "A kind that is served is there.", need: machines, crd: crdOf(machines), found: true},
		"NoCRD":     {reason: "A kind without a CRD is not.", need: machines},
		"NoVersion": {reason: "Another version is not the one.", need: machines, crd: crdOf(machines, func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions = crd.Spec.Versions[:1] })},
		"Otherwise": {reason: "Another version may do.", need: either, crd: crdOf(machines, func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions = crd.Spec.Versions[:1] }), found: true},
		"NotServed": {reason: "A version may be stored and not served.", need: machines, crd: crdOf(machines, func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions[1].Served = false })},
		"TooEarly":  {reason: "A CRD takes a moment to be established.", need: machines, crd: crdOf(machines, func(crd *extv1.CustomResourceDefinition) { crd.Status.Conditions = nil })},
		"Refused": {reason: "A CRD whose names are another's is never established.", need: machines, crd: crdOf(machines, func(crd *extv1.CustomResourceDefinition) {
			crd.Status.Conditions[0].Status = extv1.ConditionFalse
		})},
		"Terminating": {reason: "While a CRD is being deleted its objects may have finalizers to remove.", need: machines, crd: crdOf(machines, terminating), found: true},
		"Created":     {reason: "A part that creates objects would recreate what goes with the CRD.", need: created, crd: crdOf(machines, terminating)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var crds []*extv1.CustomResourceDefinition
			if tc.crd != nil {
				crds = append(crds, tc.crd)
			}
			wantFound, wantMissing := CRDs{}, []CRD{tc.need}
			if tc.found {
				wantFound, wantMissing = CRDs{tc.need.GroupResource(): tc.crd}, nil
			}
			found, missing := watched(t, []CRD{tc.need}, crds...).split([]CRD{tc.need})
			if diff := cmp.Diff(wantFound, found); diff != "" {
				t.Errorf("%s\nsplit(...): found: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(wantMissing, missing); diff != "" {
				t.Errorf("%s\nsplit(...): missing: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestSame tells when a part that runs has to end.
func TestSame(t *testing.T) {
	created := racks
	created.Created = true
	cases := map[string]struct {
		reason string
		racks  CRD
		now    []*extv1.CustomResourceDefinition
		want   bool
	}{
		"Same":               {reason: "Nothing has happened.", racks: racks, now: []*extv1.CustomResourceDefinition{crdOf(machines), crdOf(racks)}, want: true},
		"Changed":            {reason: "A part may read the schema.", racks: racks, now: []*extv1.CustomResourceDefinition{crdOf(machines, changed), crdOf(racks)}},
		"Another":            {reason: "A CRD that was recreated has other objects.", racks: racks, now: []*extv1.CustomResourceDefinition{crdOf(machines, func(crd *extv1.CustomResourceDefinition) { crd.UID = "2" }), crdOf(racks)}},
		"Gone":               {reason: "A part ends with a kind.", racks: racks, now: []*extv1.CustomResourceDefinition{crdOf(racks)}},
		"Terminating":        {reason: "It goes on until the kind is gone.", racks: racks, now: []*extv1.CustomResourceDefinition{crdOf(machines, terminating), crdOf(racks)}, want: true},
		"GoneAndTerminating": {reason: "Of two CRDs that are deleted one is gone first.", racks: racks, now: []*extv1.CustomResourceDefinition{crdOf(machines, terminating)}, want: true},
		"AllGone":            {reason: "It ends with the last one.", racks: racks},
		"Created":            {reason: "Nothing is recreated that is being deleted.", racks: created, now: []*extv1.CustomResourceDefinition{crdOf(machines), crdOf(racks, terminating)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := Part{Need: Need{CRDs: []CRD{machines, tc.racks}}}
			opened, _ := watched(t, p.CRDs, crdOf(machines), crdOf(racks)).split(p.CRDs)
			g := &Gate{crds: watched(t, p.CRDs, tc.now...)}
			if got := g.same(p, opened); got != tc.want {
				t.Errorf("%s\nsame(...): %v", tc.reason, got)
			}
		})
	}
}
