// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestStripSecret: nothing of a Secret is cached but its name and version.
func TestStripSecret(t *testing.T) {
	t.Parallel()
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "login", UID: "1", ResourceVersion: "2",
		Annotations:     map[string]string{corev1.LastAppliedConfigAnnotation: `{"data":{"password":"aHVudGVyMg=="}}`},
		Labels:          map[string]string{"token": "hunter2"},
		OwnerReferences: []metav1.OwnerReference{{Name: "hunter2"}}, Finalizers: []string{"hunter2"}, GenerateName: "hunter2",
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "hunter2"}},
	}}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	got, err := StripSecret(secret)
	want := &metav1.PartialObjectMetadata{TypeMeta: secret.TypeMeta, ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "login", UID: "1", ResourceVersion: "2"}}
	if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if _, err := StripSecret(&corev1.Secret{}); err == nil {
		t.Error("a whole Secret is cached")
	}
}
