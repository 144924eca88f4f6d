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

func TestPermissionReport(t *testing.T) {
	machines := schema.GroupResource{Group: "example.com", Resource: "machines"}
	get := May("get", schema.GroupResource{Resource: "namespaces"})
	list := May("list", schema.GroupResource{Group: "kea.crossplane.io", Resource: "keareservations"})
	all := []Permission{get, May("list", machines), May("patch", machines).Sub("status"), May("watch", machines)}
	const (
		lacks      = "Missing permissions: "
		crossplane = "list keareservations.kea.crossplane.io: Crossplane's RBAC manager grants them, or cluster/standalone without Crossplane"
		lacksGet   = lacks + "get namespaces: " + ApplyClusterRole
		lacksAll   = lacks + "get namespaces; list, watch machines.example.com; patch machines.example.com/status: " + ApplyClusterRole
	)
	// A look is a review. It is on time if nothing else has
	// happened since the last.
	type look struct {
		lacking []Permission
		onTime  bool
	}
	cases := map[string]struct {
		reason string
		looks  []look
		want   []string
	}{
		"Nothing": {reason: "Nothing is missing.", looks: []look{{nil, false}, {nil, true}}},
		"Once":    {reason: "What is missing is reported once, by resource.", looks: []look{{all, false}, {all, true}, {all, true}, {all, true}}, want: []string{lacksAll}},
		"Crossplane": {
			reason: "The ClusterRole does not help where Crossplane has not granted what it grants.",
			looks:  []look{{[]Permission{list}, false}, {[]Permission{list}, true}},
			want:   []string{lacks + crossplane},
		},
		"Secrets": {
			reason: "Crossplane grants Secrets, too.",
			looks:  []look{{MayWatch(Secrets), false}, {MayWatch(Secrets), true}},
			want:   []string{lacks + "list, watch secrets: Crossplane's RBAC manager grants them, or cluster/standalone without Crossplane"},
		},
		"Both": {
			reason: "Everything that is missing is reported with who grants it.",
			looks:  []look{{[]Permission{list, get}, false}, {[]Permission{list, get}, true}},
			want:   []string{lacksGet + ". " + crossplane},
		},
		"Start": {
			reason: "At the start the roles may come after the provider, and CRDs one by one.",
			looks:  []look{{[]Permission{get}, false}, {all, false}, {all, false}, {nil, true}},
		},
		"More": {
			reason: "What is missing later is reported as well.",
			looks:  []look{{[]Permission{get}, false}, {[]Permission{get}, true}, {all, false}, {all, true}},
			want:   []string{lacksGet, lacksAll},
		},
		"Partly": {
			reason: "A role that was just made may be in force for a part of what was asked.",
			looks:  []look{{all, false}, {all, true}, {[]Permission{get}, true}, {nil, true}},
			want:   []string{lacksAll},
		},
		"Again": {
			reason: "What was revoked again is reported again.",
			looks:  []look{{all, false}, {all, true}, {nil, true}, {all, false}, {all, true}},
			want:   []string{lacksAll, lacksAll},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			permissionReport := permissionReport{log: logging.NewNopLogger(), announce: func(m string) { got = append(got, m) }}
			for _, l := range tc.looks {
				permissionReport.found(l.lacking, l.onTime)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\npermissionReport.found(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestComplaints(t *testing.T) {
	refused, forbidden := errors.New("refused"), errors.New("forbidden")
	log := &lines{Logger: logging.NewNopLogger()}
	c := repeatLogger{logger: log}
	for _, err := range []error{nil, refused, refused, forbidden, refused, nil, refused} {
		c.log("Cannot ask", err)
	}
	want := []string{"Cannot ask: refused", "Cannot ask: forbidden", "Cannot ask: refused", "Cannot ask: refused"}
	if diff := cmp.Diff(want, log.all()); diff != "" {
		t.Errorf("An error is logged once, until there is another one or none.\nrepeatLogger.log(...): -want, +got:\n%s", diff)
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
