// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTeller(t *testing.T) {
	machines := schema.GroupResource{Group: "example.com", Resource: "machines"}
	get := May("get", schema.GroupResource{Resource: "namespaces"})
	all := []Permission{get, May("list", machines), May("patch", machines).Sub("status"), May("watch", machines)}
	const (
		tells    = "The provider lacks permissions: " + ApplyClusterRole + "; it may not: "
		tellsGet = tells + "get namespaces"
		tellsAll = tells + "get namespaces; list, watch machines.example.com; patch machines.example.com/status"
	)
	// A look finds what is missing. It is one that may tell where nothing else has
	// happened since the last.
	type look struct {
		lacking []Permission
		tell    bool
	}
	cases := map[string]struct {
		reason string
		looks  []look
		want   []string
	}{
		"Nothing": {reason: "Who lacks nothing says nothing.", looks: []look{{nil, false}, {nil, true}}},
		"Once":    {reason: "What is missing is told once, by resource.", looks: []look{{all, false}, {all, true}, {all, true}, {all, true}}, want: []string{tellsAll}},
		"Start": {
			reason: "At the start the roles may come after the provider, and CRDs one by one.",
			looks:  []look{{[]Permission{get}, false}, {all, false}, {all, false}, {nil, true}},
		},
		"More": {
			reason: "What is missing later is told as well.",
			looks:  []look{{[]Permission{get}, false}, {[]Permission{get}, true}, {all, false}, {all, true}},
			want:   []string{tellsGet, tellsAll},
		},
		"Partly": {
			reason: "A role that was just made may be in force for a part of what was asked.",
			looks:  []look{{all, false}, {all, true}, {[]Permission{get}, true}, {nil, true}},
			want:   []string{tellsAll},
		},
		"Again": {
			reason: "What was taken away again is told again.",
			looks:  []look{{all, false}, {all, true}, {nil, true}, {all, false}, {all, true}},
			want:   []string{tellsAll, tellsAll},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			teller := teller{log: logging.NewNopLogger(), announce: func(m string) { got = append(got, m) }}
			for _, l := range tc.looks {
				teller.found(l.lacking, l.tell)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nteller.found(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
