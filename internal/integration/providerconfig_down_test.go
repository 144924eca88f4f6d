// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigDeletedWhileDown: a configuration that is deleted together with its reservations while no
// provider runs stays until they have left Kea, also if the provider that starts may not list them
// yet.
func TestConfigDeletedWhileDown(t *testing.T) {
	t.Parallel()
	c := newCluster(t, append([]string{"kea.crossplane.io_keareservations.yaml"}, packaged...)...)
	c.allow("provider-kea", clusterRole(t).Rules...)
	s := &site{world: c.world, t: t, kea: testenv.StartKea(t, testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet()}}), namespace: "machines"}
	s.look(s.kea, "", "")
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	config, goes, stays := s.config(), s.numbered(11), s.numbered(12)
	s.create(config)
	s.create(goes)
	s.create(stays)
	s.await(goes, isReady, isSynced)
	s.await(stays, isReady, isSynced)

	c.provider.stop()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "crossplane:provider:" + revisionName + ":system"}}
	var whole []rbacv1.PolicyRule
	edit(s, role, func(r *rbacv1.ClusterRole) {
		whole = r.DeepCopy().Rules
		r.Rules[0].Resources = slices.DeleteFunc(r.Rules[0].Resources, func(resource string) bool { return resource == "keareservations" })
	})
	s.delete(goes)
	s.delete(config)
	c.start()
	s.await(config, is{Type: "Terminating", Status: corev1.ConditionTrue, Reason: "InUse", Message: "cannot list KeaReservations or get namespaces, to find out whether it is used: apply the ClusterRole"})
	edit(s, role, func(r *rbacv1.ClusterRole) { r.Rules = whole })
	s.awaitGone(goes)
	s.awaitNotHeld(macOf(11))
	s.await(config, is{Type: "Terminating", Status: corev1.ConditionTrue, Reason: "InUse", Message: "1 KeaReservation uses it: delete them first"})
	s.delete(stays)
	s.awaitGone(stays)
	s.awaitGone(config)
	s.awaitNotHeld(macOf(12))
}
