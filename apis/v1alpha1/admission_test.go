// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestAdmissionPolicyExample: the example has the API server refuse what the example of access does
// not allow, and nothing else.
func TestAdmissionPolicyExample(t *testing.T) {
	for _, file := range []string{"clusterproviderconfig-access.yaml", "validatingadmissionpolicy.yaml"} {
		data, err := os.ReadFile(filepath.Join(testenv.Root(), "examples", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range documents(t, data) {
			create(t, u)
			t.Cleanup(func() { _ = kube.Delete(context.Background(), u) })
		}
	}
	for name, team := range map[string]string{"admission-web": "web", "admission-db": "db", "admission-none": "", "platform": ""} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if team != "" {
			ns.Labels = map[string]string{"team": team}
		}
		if err := kube.Create(t.Context(), ns); client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
	try := func(ctx context.Context, namespace, config, object string) error {
		u := fromYAML(t, v1alpha1.KeaReservationKind, "{providerConfigRef: {kind: ClusterProviderConfig, name: "+config+"}, forProvider: {hwAddress: '00:02:12:34:56:78', "+object+"}}")
		u.SetNamespace(namespace)
		return kube.Create(ctx, u, client.DryRunAll)
	}
	const within = time.Minute
	testenv.Eventually(t, within, "the policy to be in force", func(ctx context.Context) error {
		if err := try(ctx, "admission-none", "teams", "subnet: 10.64.0.0/24"); err == nil {
			return errors.New("what is forbidden is taken")
		}
		return nil
	})
	cases := map[string]struct {
		reason, namespace, config, object string
		refused                           bool
	}{
		"Allowed":      {reason: "A team's own subnet.", namespace: "admission-web", config: "teams", object: "subnet: 10.64.3.0/24"},
		"Same":         {reason: "A prefix is inside itself.", namespace: "admission-web", config: "teams", object: "subnet: 10.64.0.0/16"},
		"Second":       {reason: "Any of several prefixes does.", namespace: "admission-db", config: "teams", object: "subnet: 10.66.8.0/25"},
		"OtherSubnet":  {reason: "Another team's subnet.", namespace: "admission-web", config: "teams", object: "subnet: 10.65.0.0/24", refused: true},
		"Larger":       {reason: "One that has the team's inside.", namespace: "admission-web", config: "teams", object: "subnet: 10.0.0.0/8", refused: true},
		"NoTeam":       {reason: "A namespace that no entry has.", namespace: "admission-none", config: "teams", object: "subnet: 10.64.0.0/24", refused: true},
		"Expression":   {reason: "A namespace that an expression has.", namespace: "platform", config: "teams", object: "subnet: 192.0.2.0/24"},
		"OtherConfig":  {reason: "The policy is about one configuration.", namespace: "admission-none", config: "default", object: "subnet: 10.64.0.0/24"},
		"LeftToOthers": {reason: "The prefix of a subnet-id is not known here.", namespace: "admission-none", config: "teams", object: "subnetId: 1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := try(t.Context(), tc.namespace, tc.config, tc.object)
			text := "namespace " + tc.namespace + " may not use "
			if (err != nil) != tc.refused || tc.refused && !strings.Contains(err.Error(), text) {
				t.Errorf("%s\nwant it refused (%t) with %q, got: %v", tc.reason, tc.refused, text, err)
			}
		})
	}
}
