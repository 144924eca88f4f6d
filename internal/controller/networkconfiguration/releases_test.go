// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A release of VitiStack's CRDs. internal/vitistack holds the types to the same files.
type release struct {
	name string
	crds func(testing.TB) []string

	// networkNamespaces is the version that is stored.
	networkNamespaces string

	// allocation is true if the CRDs have the fields that vitistack/common added.
	allocation bool
}

var (
	v035 = release{name: "v0.3.5", crds: moduleCRDs, networkNamespaces: "v1alpha1"}
	v08  = release{name: "v0.8.70", crds: testdataCRDs("networknamespaces-v0.8.70.yaml"), networkNamespaces: "v1alpha1", allocation: true}
	v1   = release{name: "v1.0.0", crds: testdataCRDs("networknamespaces-v1.0.0.yaml"), networkNamespaces: "v1alpha2", allocation: true}
)

// releases are in the order in which a cluster goes through them. The conversion webhook of the
// last one answers nothing.
var releases = []release{v035, v08, v1}

// moduleCRDs are those that vitistack/crds comes with.
func moduleCRDs(tb testing.TB) []string {
	tb.Helper()
	dir, err := testenv.VitiStackCRDs()
	if err != nil {
		tb.Fatal(err)
	}
	return []string{
		filepath.Join(dir, "vitistack.io_networkconfigurations.yaml"),
		filepath.Join(dir, "vitistack.io_networknamespaces.yaml"),
	}
}

func testdataCRDs(networkNamespaces string) func(testing.TB) []string {
	return func(testing.TB) []string {
		dir := filepath.Join(testenv.Root(), "internal", "vitistack", "testdata")
		return []string{filepath.Join(dir, "networkconfigurations.yaml"), filepath.Join(dir, networkNamespaces)}
	}
}

// install installs a release's CRDs, or brings those that are there to it.
func (r release) install(t *testing.T, plane *testenv.ControlPlane) {
	t.Helper()
	_, err := envtest.InstallCRDs(plane.Config, envtest.CRDInstallOptions{Paths: r.crds(t), ErrorIfPathMissing: true, MaxTime: patience})
	if err != nil {
		t.Fatal(err)
	}
}

// deleteAll deletes what tests have left behind, so that the next release finds none of it: that
// one's objects have the same hardware addresses.
func deleteAll(t *testing.T, kube client.Client) {
	t.Helper()
	testenv.Eventually(t, patience, "no objects", func(ctx context.Context) error {
		left := 0
		for _, l := range []client.ObjectList{&vitistack.NetworkConfigurationList{}, &vitistack.NetworkNamespaceList{}, &v1alpha1.KeaReservationList{}} {
			n, err := deleteObjects(ctx, kube, l)
			if err != nil {
				return err
			}
			left += n
		}
		if left > 0 {
			return errors.New("some are still there")
		}
		return nil
	})
}

// deleteObjects deletes all objects of a kind, and returns how many there were.
func deleteObjects(ctx context.Context, kube client.Client, l client.ObjectList) (int, error) {
	if err := kube.List(ctx, l); err != nil {
		return 0, err
	}
	err := meta.EachListItem(l, func(o runtime.Object) error {
		object := o.(client.Object)
		if len(object.GetFinalizers()) > 0 {
			before := object.DeepCopyObject().(client.Object)
			object.SetFinalizers(nil)
			if err := kube.Patch(ctx, object, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
		return client.IgnoreNotFound(kube.Delete(ctx, object))
	})
	return meta.LenList(l), err
}
