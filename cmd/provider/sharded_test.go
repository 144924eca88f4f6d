// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestSharded: the Deployments of the example have selectors that together are everything, and no two
// of them the same configuration.
func TestSharded(t *testing.T) {
	t.Parallel()
	shards := map[string]connection.Shard{}
	for _, folder := range []string{"cluster/sharded", "cluster/sharded/shard-b"} {
		args := slices.Concat(deployed(t, "cluster/standalone/deployment.yaml").Containers[0].Args, addedArgs(t, folder))
		c := &cli{}
		p, err := kong.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Parse(args); err != nil {
			t.Fatalf("%s: Parse(%q): %v", folder, args, err)
		}
		if shards[folder], err = connection.ParseShard(c.Start.ProviderConfigSelector); err != nil {
			t.Fatalf("%s: %v", folder, err)
		}
	}
	for name, labels := range map[string]map[string]string{
		"cluster/sharded":         nil,
		"cluster/sharded/shard-b": {"shard": "b"},
	} {
		var got []string
		for folder, s := range shards {
			if s.Has(labels) {
				got = append(got, folder)
			}
		}
		if diff := cmp.Diff([]string{name}, got); diff != "" {
			t.Errorf("a configuration with the labels %v is to be served by exactly one: -want, +got:\n%s", labels, diff)
		}
	}
	leases := []string{}
	for _, s := range shards {
		leases = append(leases, s.LeaseName("lease"))
	}
	if slices.Contains(leases, "lease") || leases[0] == leases[1] {
		t.Errorf("the Leases are %v: want one for each", leases)
	}
}

// addedArgs returns what a kustomization adds to the arguments of the Deployment of cluster/standalone.
func addedArgs(t *testing.T, folder string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(), folder, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var k struct {
		Patches []struct{ Patch string }
	}
	if err := yaml.Unmarshal(data, &k); err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	var out []string
	for _, p := range k.Patches {
		var ops []struct{ Path, Value string }
		if yaml.Unmarshal([]byte(p.Patch), &ops) != nil {
			continue // It is no JSON patch.
		}
		for _, op := range ops {
			if op.Path == "/spec/template/spec/containers/0/args/-" {
				out = append(out, op.Value)
			}
		}
	}
	return out
}
