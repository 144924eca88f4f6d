// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTeller(t *testing.T) {
	machines := schema.GroupResource{Group: "example.com", Resource: "machines"}
	get := May("get", schema.GroupResource{Resource: "namespaces"})
	list := May("list", schema.GroupResource{Group: "kea.crossplane.io", Resource: "keareservations"})
	all := []Permission{get, May("list", machines), May("patch", machines).Sub("status"), May("watch", machines)}
	const (
		lacks      = "The provider lacks permissions: "
		tells      = lacks + ApplyClusterRole + "; it may not: "
		crossplane = "Crossplane's RBAC manager, or cluster/standalone, has to grant: list keareservations.kea.crossplane.io"
		tellsGet   = tells + "get namespaces"
		tellsAll   = tells + "get namespaces; list, watch machines.example.com; patch machines.example.com/status"
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
		"Crossplane": {
			reason: "The ClusterRole does not help where Crossplane has not granted what it grants.",
			looks:  []look{{[]Permission{list}, false}, {[]Permission{list}, true}},
			want:   []string{lacks + crossplane},
		},
		"Both": {
			reason: "Everything that is missing is told with who grants it.",
			looks:  []look{{[]Permission{list, get}, false}, {[]Permission{list, get}, true}},
			want:   []string{tellsGet + "; " + crossplane},
		},
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

func TestComplaints(t *testing.T) {
	refused, forbidden := errors.New("refused"), errors.New("forbidden")
	log := &lines{Logger: logging.NewNopLogger()}
	c := complaints{log: log}
	for _, err := range []error{nil, refused, refused, forbidden, refused, nil, refused} {
		c.about("Cannot ask", err)
	}
	want := []string{"Cannot ask: refused", "Cannot ask: forbidden", "Cannot ask: refused", "Cannot ask: refused"}
	if diff := cmp.Diff(want, log.all()); diff != "" {
		t.Errorf("An error is told once, until there is another one or none.\ncomplaints.about(...): -want, +got:\n%s", diff)
	}
}

// lines keeps what is logged for people.
type lines struct {
	logging.Logger

	mu   sync.Mutex
	said []string
}

func (l *lines) Info(message string, kv ...any) {
	if i := slices.Index(kv, any("error")); i >= 0 {
		message = fmt.Sprintf("%s: %v", message, kv[i+1])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, message)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.said)
}
