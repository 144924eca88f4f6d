// SPDX-License-Identifier: Apache-2.0

// The tests of this package ask a real API server: only it tells what the
// validation rules say, what is filled in, and how two managers' fields merge.
package v1alpha1_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// kube is an administrator of the one control plane of all tests. It is as
// strict as kubectl about fields that do not exist.
var kube client.Client

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	vitistack, err := vitistackCRDs()
	if err != nil {
		return 0, err
	}
	crossplane, err := crossplaneCRDs()
	if err != nil {
		return 0, err
	}
	cp, stop, err := testenv.NewControlPlane(crdsDir(), vitistack, crossplane)
	if err != nil {
		return 0, err
	}
	defer stop()
	cp.Config.QPS = -1 // hundreds of requests, and nobody to be considerate of

	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return 0, err
	}
	c, err := client.New(cp.Config, client.Options{Scheme: scheme})
	if err != nil {
		return 0, err
	}
	kube = client.WithFieldValidation(c, metav1.FieldValidationStrict)
	return m.Run(), nil
}

func crdsDir() string { return filepath.Join(testenv.Root(), "package", "crds") }

// vitistackCRDs returns the folder of the CRDs in VitiStack's module, of the
// version in go.mod.
func vitistackCRDs() (string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/vitistack/crds")
	cmd.Dir, cmd.Stderr = testenv.Root(), os.Stderr
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" {
		err = errors.New("it is not downloaded")
	}
	if err != nil {
		return "", fmt.Errorf("cannot find the module github.com/vitistack/crds: run `go mod download github.com/vitistack/crds`: %w", err)
	}
	return filepath.Join(dir, "crds"), nil
}

// crossplaneCRDs returns the folder of Crossplane's own CRDs.
func crossplaneCRDs() (string, error) {
	cmd := exec.Command(filepath.Join(testenv.Root(), "hack", "crossplane"), "crds")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot find Crossplane's CRDs: run hack/crossplane crds and see what it says: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// fromYAML makes an object of one kind of ours out of the YAML of its spec.
func fromYAML(t *testing.T, kind, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
	u.SetGenerateName("test-")
	if kind != v1alpha1.ClusterProviderConfigKind {
		u.SetNamespace(metav1.NamespaceDefault)
	}
	setSpec(t, u, spec)
	return u
}

func setSpec(t *testing.T, u *unstructured.Unstructured, spec string) {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte(spec), &content); err != nil {
		t.Fatalf("cannot read the test's own YAML %q: %v", spec, err)
	}
	u.Object["spec"] = content
}

// reservation makes a KeaReservation out of the YAML of its forProvider.
func reservation(t *testing.T, forProvider string) *unstructured.Unstructured {
	t.Helper()
	return fromYAML(t, v1alpha1.KeaReservationKind, "forProvider: "+forProvider)
}

// inSubnet1 makes a KeaReservation with some more fields, in YAML.
func inSubnet1(t *testing.T, fields string) *unstructured.Unstructured {
	t.Helper()
	return reservation(t, `{subnetId: 1, hwAddress: "00:02:12:34:56:78", `+fields+"}")
}

// A check is an object that the API server has to take or refuse.
type check struct {
	reason string

	// object is the YAML of its spec, or of spec.forProvider.
	object string

	// want is the one message of the refusal, in part. Empty where the object is
	// taken.
	want string

	// more is for what is wrong in two ways, so that there are two messages.
	more bool
}

// try creates an object without keeping it.
func try(t *testing.T, u *unstructured.Unstructured, c check) {
	t.Helper()
	judge(t, kube.Create(t.Context(), u, client.DryRunAll), c)
}

// judge compares the API server's answer with what was wanted. A refusal has to
// be one message, about what is wrong and nothing else, in words that a user
// can act on.
func judge(t *testing.T, err error, c check) {
	t.Helper()
	if c.want == "" {
		if err != nil {
			t.Errorf("%s\nwant it taken, got: %v", c.reason, err)
		}
		return
	}
	if !apierrors.IsInvalid(err) {
		t.Errorf("%s\nwant it refused with %q, got: %v", c.reason, c.want, err)
		return
	}
	messages := causes(err)
	has := slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, c.want) })
	if !has || (len(messages) > 1) != c.more {
		t.Errorf("%s\nwant a message with %q (and others: %t), got %d:\n%s", c.reason, c.want, c.more, len(messages), strings.Join(messages, "\n"))
	}
	for _, internal := range []string{"no such", "type conversion", "evaluation error", "failed rule", "unexpected"} {
		if strings.Contains(err.Error(), internal) {
			t.Errorf("%s\nwant no internals (%q) in the message, got: %v", c.reason, internal, err)
		}
	}
}

// causes returns the different messages of a refusal, but for the API server's
// own remark, which goes with every length that is too long and every field that
// is missing, that it looked no further.
func causes(err error) []string {
	status := &apierrors.StatusError{}
	if !errors.As(err, &status) || status.ErrStatus.Details == nil {
		return []string{err.Error()}
	}
	var out []string
	for _, c := range status.ErrStatus.Details.Causes {
		if !strings.Contains(c.Message, "some validation rules were not checked") {
			out = append(out, c.Field+": "+c.Message)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
