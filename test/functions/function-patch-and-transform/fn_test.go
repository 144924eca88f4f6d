// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/resource"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
)

const (
	host        = `{"apiVersion":"example.org/v1","kind":"Host","metadata":{"namespace":"default","name":"vm"},"spec":{"mac":"aa"}}`
	hostAddress = `{"apiVersion":"example.org/v1","kind":"Host","metadata":{"namespace":"default","name":"vm"},"spec":{"mac":"aa","address":"10.0.0.1"}}`
	hostStatus  = `{"apiVersion":"example.org/v1","kind":"Host"}`

	ofHost = `{"resources":[{"name":"thing",
		"base":{"apiVersion":"example.org/v1","kind":"Thing","spec":{"kept":true}},
		"patches":[
			{"fromFieldPath":"spec.mac","toFieldPath":"spec.mac"},
			{"type":"FromCompositeFieldPath","fromFieldPath":"spec.address","toFieldPath":"spec.address","policy":{"fromFieldPath":"Optional"}},
			{"type":"ToCompositeFieldPath","fromFieldPath":"status.address","toFieldPath":"status.address"}
		]}],"apiVersion":"pt.fn.crossplane.io/v1beta1","kind":"Resources"}`
)

func state(xr string, rs map[string]string) *fnv1.State {
	s := &fnv1.State{Composite: &fnv1.Resource{Resource: resource.MustStructJSON(xr)}, Resources: map[string]*fnv1.Resource{}}
	for name, r := range rs {
		s.Resources[name] = &fnv1.Resource{Resource: resource.MustStructJSON(r)}
	}
	return s
}

func TestRunFunction(t *testing.T) {
	cases := map[string]struct {
		reason   string
		observed *fnv1.State
		desired  *fnv1.State
		want     *fnv1.State
	}{
		"NothingObserved": {
			reason:   "Values of the composite resource should be patched onto the base; an optional one that is absent should leave no trace.",
			observed: state(host, nil),
			want:     state(hostStatus, map[string]string{"thing": `{"apiVersion":"example.org/v1","kind":"Thing","spec":{"kept":true,"mac":"aa"}}`}),
		},
		"OptionalPresent": {
			reason:   "An optional value that is there should be patched.",
			observed: state(hostAddress, nil),
			want:     state(hostStatus, map[string]string{"thing": `{"apiVersion":"example.org/v1","kind":"Thing","spec":{"kept":true,"mac":"aa","address":"10.0.0.1"}}`}),
		},
		"ObservedWithoutStatus": {
			reason: "An observed resource should keep its name, should lend the desired one nothing else, and should hand up only what it has.",
			observed: state(host, map[string]string{
				"thing": `{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"namespace":"default","name":"vm-1"},"spec":{"address":"10.0.0.9"}}`,
			}),
			want: state(hostStatus, map[string]string{
				"thing": `{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"namespace":"default","name":"vm-1"},"spec":{"kept":true,"mac":"aa"}}`,
			}),
		},
		"ObservedWithStatus": {
			reason: "A value of the observed resource should be handed up to the composite one.",
			observed: state(host, map[string]string{
				"thing": `{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"name":"vm-1"},"status":{"address":"10.0.0.9"}}`,
			}),
			want: state(`{"apiVersion":"example.org/v1","kind":"Host","status":{"address":"10.0.0.9"}}`, map[string]string{
				"thing": `{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"name":"vm-1"},"spec":{"kept":true,"mac":"aa"}}`,
			}),
		},
		"EarlierSteps": {
			reason:   "What earlier functions of the pipeline want should be passed on.",
			observed: state(host, nil),
			desired:  state(`{"status":{"other":1}}`, map[string]string{"other": `{"apiVersion":"example.org/v1","kind":"Other"}`}),
			want: state(`{"apiVersion":"example.org/v1","kind":"Host","status":{"other":1}}`, map[string]string{
				"other": `{"apiVersion":"example.org/v1","kind":"Other"}`,
				"thing": `{"apiVersion":"example.org/v1","kind":"Thing","spec":{"kept":true,"mac":"aa"}}`,
			}),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := &fn{log: logging.NewNopLogger()}
			rsp, err := f.RunFunction(t.Context(), &fnv1.RunFunctionRequest{
				Observed: tc.observed, Desired: tc.desired, Input: resource.MustStructJSON(ofHost),
			})
			if err != nil || len(rsp.GetResults()) > 0 {
				t.Fatalf("\n%s\nRunFunction(...): unexpected error %v, results %v", tc.reason, err, rsp.GetResults())
			}
			if diff := cmp.Diff(tc.want, rsp.GetDesired(), protocmp.Transform()); diff != "" {
				t.Errorf("\n%s\nRunFunction(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRunFunctionRefuses(t *testing.T) {
	template := func(rest string) string {
		return `{"apiVersion":"pt.fn.crossplane.io/v1beta1","kind":"Resources","resources":[{"name":"thing","base":{"apiVersion":"example.org/v1","kind":"Thing"},` + rest + `}]}`
	}
	cases := map[string]struct {
		reason string
		input  string
		want   string
	}{
		"OtherKind":       {"Another function's input is a mistake in the pipeline.", `{"apiVersion":"gotemplating.fn.crossplane.io/v1beta1","kind":"GoTemplate"}`, `kind "GoTemplate"`},
		"PatchSets":       {"Patch sets are beyond the stand-in.", `{"apiVersion":"pt.fn.crossplane.io/v1beta1","kind":"Resources","patchSets":[]}`, `unknown field "patchSets"`},
		"NoBase":          {"Patching what an earlier function made is beyond the stand-in.", `{"apiVersion":"pt.fn.crossplane.io/v1beta1","kind":"Resources","resources":[{"name":"thing"}]}`, "has no base"},
		"SameName":        {"A second resource would replace the first.", template(`"patches":[]},{"name":"thing","base":{}`), "no name of its own"},
		"ReadinessChecks": {"Readiness is left to function-auto-ready.", template(`"readinessChecks":[{"type":"None"}]`), `unknown field "readinessChecks"`},
		"Combine":         {"Other types of patches are beyond the stand-in.", template(`"patches":[{"type":"CombineFromComposite","fromFieldPath":"a","toFieldPath":"b"}]`), `unknown type "CombineFromComposite"`},
		"Transforms":      {"Transforms are beyond the stand-in.", template(`"patches":[{"fromFieldPath":"a","toFieldPath":"b","transforms":[]}]`), `unknown field "transforms"`},
		"Required":        {"A required path is beyond the stand-in.", template(`"patches":[{"fromFieldPath":"a","toFieldPath":"b","policy":{"fromFieldPath":"Required"}}]`), `unknown policy.fromFieldPath "Required"`},
		"ToPolicy":        {"Merging is beyond the stand-in.", template(`"patches":[{"fromFieldPath":"a","toFieldPath":"b","policy":{"toFieldPath":"MergeObjects"}}]`), `unknown field "toFieldPath"`},
		"NoToFieldPath":   {"A path that is left out is beyond the stand-in.", template(`"patches":[{"fromFieldPath":"a"}]`), "must both be set"},
		"Wildcard":        {"Wildcards are beyond the stand-in.", template(`"patches":[{"fromFieldPath":"a","toFieldPath":"b[*].c"}]`), "wildcards"},
		"BadPath":         {"A path that is none is an error, not an absent value.", template(`"patches":[{"fromFieldPath":"a[","toFieldPath":"b"}]`), "cannot get a["},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := &fn{log: logging.NewNopLogger()}
			rsp, err := f.RunFunction(t.Context(), &fnv1.RunFunctionRequest{Observed: state(host, nil), Input: resource.MustStructJSON(tc.input)})
			if err != nil || len(rsp.GetResults()) != 1 {
				t.Fatalf("\n%s\nRunFunction(...): want one result, got error %v, results %v", tc.reason, err, rsp.GetResults())
			}
			r := rsp.GetResults()[0]
			if r.GetSeverity() != fnv1.Severity_SEVERITY_FATAL || !strings.Contains(r.GetMessage(), tc.want) {
				t.Errorf("\n%s\nRunFunction(...): want a fatal result with %q, got %v", tc.reason, tc.want, r)
			}
		})
	}
}
