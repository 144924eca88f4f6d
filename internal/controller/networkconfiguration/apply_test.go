// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// TestRemoveAsRead: of several KeaReservations of a device, the one that has got the address since they
// were read is not deleted as one of the others.
func TestRemoveAsRead(t *testing.T) {
	t.Parallel()
	kube := fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(kr(nc("vm", []string{mac1}), at("10.0.0.0/24"), mac1)).Build()
	r := &reconciler{kube: kube, log: logging.NewNopLogger()}
	list := &v1alpha1.KeaReservationList{}
	if err := kube.List(t.Context(), list); err != nil || len(list.Items) != 1 {
		t.Fatalf("there are %d: %v", len(list.Items), err)
	}
	read, now := list.Items[0].DeepCopy(), list.Items[0].DeepCopy()
	now.Spec.ForProvider.IPAddress = "10.0.0.5"
	if err := kube.Update(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if err := r.remove(t.Context(), read); !kerrors.IsConflict(err) {
		t.Errorf("remove() of what has changed: %v, want a conflict", err)
	}
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(now), now); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	if err := r.remove(t.Context(), now); err != nil {
		t.Errorf("remove(): %v", err)
	}
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(now), now); !kerrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
}
