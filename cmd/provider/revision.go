// SPDX-License-Identifier: Apache-2.0

package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
)

// revision is the ProviderRevision that the program runs for. Crossplane tells
// it in the pod's environment; elsewhere there is none.
type revision struct {
	Name string `hidden:"" env:"REVISION_NAME" name:"revision-name" help:"Name of the ProviderRevision that events about the provider itself are put on."`
	UID  string `hidden:"" env:"REVISION_UID" name:"revision-uid" help:"UID of that ProviderRevision."`
}

// announcer returns a function that reports on the ProviderRevision what the provider lacks, for
// people who describe it. It does nothing where there is no ProviderRevision.
func (r revision) announcer(mgr ctrl.Manager) func(message string) {
	if r.Name == "" || r.UID == "" {
		return func(string) {}
	}
	recorder := mgr.GetEventRecorderFor("provider-kea") //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	ref := &corev1.ObjectReference{APIVersion: "pkg.crossplane.io/v1", Kind: "ProviderRevision", Name: r.Name, UID: types.UID(r.UID)}
	return func(message string) { recorder.Event(ref, corev1.EventTypeWarning, "MissingPermissions", message) }
}
