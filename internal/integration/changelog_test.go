// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	changelogs "github.com/crossplane/crossplane-runtime/v2/apis/changelogs/proto/v1alpha1"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// changeLog is a change log service, as Crossplane's sidecar is one.
type changeLog struct {
	changelogs.UnimplementedChangeLogServiceServer

	server *grpc.Server

	mu      sync.Mutex
	entries []*changelogs.ChangeLogEntry
}

func listenForChanges(socket string) (*changeLog, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	c := &changeLog{server: grpc.NewServer()}
	changelogs.RegisterChangeLogServiceServer(c.server, c)
	go func() { _ = c.server.Serve(l) }()
	return c, nil
}

// SendChangeLog implements the service.
func (c *changeLog) SendChangeLog(_ context.Context, r *changelogs.SendChangeLogRequest) (*changelogs.SendChangeLogResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = append(c.entries, r.GetEntry())
	return &changelogs.SendChangeLogResponse{}, nil
}

// of lists the entries about what is in a namespace, in the order they came.
func (c *changeLog) of(namespace string) []*changelogs.ChangeLogEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*changelogs.ChangeLogEntry
	for _, e := range c.entries {
		if e.GetSnapshot().GetFields()["metadata"].GetStructValue().GetFields()["namespace"].GetStringValue() == namespace {
			out = append(out, e)
		}
	}
	return out
}

// TestChangeLog: every change of a host reservation is told to the change log
// service, and nothing secret with it.
func TestChangeLog(t *testing.T) {
	t.Parallel()
	const password = "correct-horse-battery-staple"
	s := newSite(t, testenv.KeaOptions{Username: "kea", Password: password}, func(c *v1alpha1.ClusterProviderConfig) {
		c.Spec.Credentials = v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Namespace: "default", Name: "changelog"}}
	})
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "changelog"},
		StringData: map[string]string{"username": "kea", "password": password},
	}
	s.create(secret)
	t.Cleanup(func() { _ = shared.client.Delete(context.Background(), secret) })
	r := s.created(s.static("vm01", "10.123.0.50"))
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = new("vm01") })
	s.await(r, isReady, isSynced)
	s.delete(r)
	s.awaitGone(r)

	type told struct{ Operation, Provider, APIVersion, Kind, Name, ExternalName, Error string }
	entry := func(operation string) told {
		return told{operation, "provider-kea:dev", "kea.crossplane.io/v1alpha1", "KeaReservation", "vm01", mac, ""}
	}
	want := []told{entry("OPERATION_TYPE_CREATE"), entry("OPERATION_TYPE_UPDATE"), entry("OPERATION_TYPE_DELETE")}
	var got []told
	for _, e := range shared.changes.of(s.namespace) {
		got = append(got, told{e.GetOperation().String(), e.GetProvider(), e.GetApiVersion(), e.GetKind(), e.GetName(), e.GetExternalName(), e.GetErrorMessage()})
		if strings.Contains(e.String(), password) {
			t.Errorf("the password is in an entry: %s", e)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(errors.New("entries: -want, +got:\n" + diff))
	}
}
