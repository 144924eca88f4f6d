// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestManifests: the provider runs in the same way whatever runs it, and with
// flags that it has.
func TestManifests(t *testing.T) {
	packaged := deployed(t, "cluster/crossplane/deploymentruntimeconfig.yaml")
	cases := map[string]struct {
		reason string
		file   string
		// unlike is what another manifest has besides.
		unlike func(*corev1.PodSpec)
	}{
		"Crossplane": {reason: "It should run with flags that it has.", file: "cluster/crossplane/deploymentruntimeconfig.yaml", unlike: func(*corev1.PodSpec) {}},
		"Standalone": {
			reason: "Without Crossplane it should run as it does with it, which fills in the image, the metrics port and POD_NAMESPACE.",
			file:   "cluster/standalone/deployment.yaml",
			unlike: func(s *corev1.PodSpec) {
				c := &s.Containers[0]
				s.ServiceAccountName, c.Name, c.Image = "", "package-runtime", ""
				c.Ports = slices.DeleteFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == "metrics" })
				c.Env = slices.DeleteFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "POD_NAMESPACE" })
			},
		},
		"ChangeLogs": {
			reason: "With change logs it should run as it does without, but for these.",
			file:   "examples/deploymentruntimeconfig-changelogs.yaml",
			unlike: func(s *corev1.PodSpec) {
				c := &s.Containers[0]
				s.SecurityContext.RunAsUser, s.Volumes, s.Containers = nil, nil, s.Containers[:1]
				c.VolumeMounts = nil
				c.Args = slices.DeleteFunc(c.Args, func(a string) bool { return a == "--enable-changelogs" })
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := deployed(t, tc.file)
			p, err := kong.New(&cli{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Parse(got.Containers[0].Args); err != nil {
				t.Errorf("%s\nParse(%q): %v", tc.reason, got.Containers[0].Args, err)
			}
			tc.unlike(got)
			if diff := cmp.Diff(packaged, got); diff != "" {
				t.Errorf("%s\n%s: -with Crossplane, +there:\n%s", tc.reason, tc.file, diff)
			}
		})
	}
}

// deployed reads the pods of a Deployment, or of a DeploymentRuntimeConfig.
func deployed(t *testing.T, file string) *corev1.PodSpec {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(), file))
	if err != nil {
		t.Fatal(err)
	}
	manifest := struct {
		Spec struct {
			appsv1.DeploymentSpec `json:",inline"`

			DeploymentTemplate struct {
				Spec appsv1.DeploymentSpec `json:"spec"`
			} `json:"deploymentTemplate"`
		} `json:"spec"`
	}{}
	if err := yaml.Unmarshal(data, &manifest); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, spec := range []*corev1.PodSpec{&manifest.Spec.DeploymentTemplate.Spec.Template.Spec, &manifest.Spec.Template.Spec} {
		if len(spec.Containers) > 0 {
			return spec
		}
	}
	t.Fatalf("%s: want containers", file)
	return nil
}
