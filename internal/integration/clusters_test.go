// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// in is the same site, by way of another cluster.
func (s *site) in(c *cluster) *site {
	other := *s
	other.world = c.world
	return &other
}

// TestSecondCluster: two clusters with the same manifests do not fight for a Kea. The first one has
// what it has, also when all is deleted in the second one.
func TestSecondCluster(t *testing.T) {
	t.Parallel()
	first := newSite(t, testenv.KeaOptions{})
	mine := first.created(first.static("vm01", "10.123.0.50"))
	second := first.in(newTenants(t))
	second.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: first.namespace}})
	second.create(second.config())
	theirs := second.static("vm01", "10.123.0.51")
	second.create(theirs)
	second.await(theirs, notReady(v1alpha1.ReasonOwnedByAnother, "another cluster")...)
	writes, before := first.keaWrites(), first.versions(mine)
	second.awaitSnapshots(3)
	second.delete(theirs)
	second.awaitGone(theirs)
	first.awaitSnapshots(2)
	first.awaitHeld(mac, "10.123.0.50")
	first.checkVersions("the second cluster's life", before)
	equal(t, "commands that change reservations", first.keaWrites()-writes, 0)
}

// TestRestored: a cluster that is restored from a backup has Kea as the backup has it, but for what
// the backup does not know: that stays, and is counted. Its clone, with the same UID, changes
// nothing while nothing is changed in one of the two.
func TestRestored(t *testing.T) {
	t.Parallel()
	crds := append([]string{"kea.crossplane.io_keareservations.yaml"}, packaged...)
	dir := t.TempDir()
	folder := func(name string) string { return filepath.Join(dir, name) }
	copied := func(from, to string) {
		t.Helper()
		if err := os.CopyFS(folder(to), os.DirFS(folder(from))); err != nil {
			t.Fatal(err)
		}
	}
	c, stop := clusterIn(t, folder("etcd"), crds...)
	c.allowAll()
	c.allow("provider-kea", clusterRole(t).Rules...)
	c.start()
	s := &site{t: t, world: c.world, kea: testenv.StartKea(t, testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet()}}), namespace: "machines"}
	s.look(s.kea, "", "")
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	s.create(s.config())
	const keptMAC, deletedMAC, movedMAC, madeMAC = "00:02:12:00:00:01", "00:02:12:00:00:02", "00:02:12:00:00:03", "00:02:12:00:00:04"
	reserve := func(name, hw, ip string) *v1alpha1.KeaReservation {
		return s.created(s.reservation(name, params{HWAddress: hw, IPAddress: ip}))
	}
	kept, deleted, moved := reserve("kept", keptMAC, "10.123.0.51"), reserve("deleted", deletedMAC, "10.123.0.52"), reserve("moved", movedMAC, "10.123.0.53")
	c.provider.stop()
	stop()
	copied("etcd", "backup")
	copied("etcd", "clone")

	c, stop = clusterIn(t, folder("etcd"), crds...)
	c.start()
	s = s.in(c)
	s.delete(deleted.DeepCopy())
	s.awaitGone(deleted.DeepCopy())
	edit(s, moved.DeepCopy(), withAddress("10.123.0.63"))
	s.awaitHeld(movedMAC, "10.123.0.63")
	reserve("made", madeMAC, "10.123.0.54")
	c.provider.stop()
	stop()

	c, _ = clusterIn(t, folder("backup"), crds...)
	c.start()
	s = s.in(c)
	s.awaitHeld(deletedMAC, "10.123.0.52")
	s.awaitHeld(movedMAC, "10.123.0.53")
	s.awaitHeld(keptMAC, "10.123.0.51")
	s.awaitHeld(madeMAC, "10.123.0.54")
	for _, r := range []*v1alpha1.KeaReservation{kept, deleted, moved} {
		s.await(r, isReady, isSynced)
	}
	s.awaitOrphans(1)
	s.settle()

	writes, before := s.keaWrites(), s.versions(kept, deleted, moved)
	c, _ = clusterIn(t, folder("clone"), crds...)
	clone := s.in(c)
	cloned := clone.versions(kept, deleted, moved)
	c.start()
	clone.awaitSnapshots(5)
	s.awaitSnapshots(2)
	equal(t, "commands that change reservations, with a clone", s.keaWrites()-writes, 0)
	s.checkVersions("the life of the clone", before)
	clone.checkVersions("the life of the clone, in it", cloned)
}
