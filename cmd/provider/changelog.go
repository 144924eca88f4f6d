// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	changelogs "github.com/crossplane/crossplane-runtime/v2/apis/changelogs/proto/v1alpha1"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// newChangeLogger sends what changes to a service that listens on a unix socket,
// most often Crossplane's sidecar. An entry has the KeaReservation in it, as it
// was before the change: there is nothing secret in one.
func newChangeLogger(socket string) (managed.ChangeLogger, error) {
	// What is on the same machine needs no encryption. The connection lasts as long
	// as the program, and outlasts the service. But an entry is waited for by the
	// worker that made the change, for ten seconds at most; then the entry is lost.
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("cannot use --changelogs-socket-path %q: write the absolute path of a unix socket: %w", socket, err)
	}
	return managed.NewGRPCChangeLogger(changelogs.NewChangeLogServiceClient(conn), managed.WithProviderVersion("provider-kea:"+version)), nil
}
