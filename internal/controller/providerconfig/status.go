// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// storageNames maps Kea's operation-targets to their names in the API.
var storageNames = map[kea.Target]v1alpha1.HostStorage{
	kea.TargetMemory:   v1alpha1.HostStorageMemory,
	kea.TargetDatabase: v1alpha1.HostStorageDatabase,
}

// hookUses says what does not work without an optional hook library.
var hookUses = map[string]string{
	"libdhcp_subnet_cmds.so": "reservations that name their subnet by prefix wait; those with a subnetId work",
	"libdhcp_lease_cmds.so":  "reservations without an ipAddress wait; those with one work",
}

// statusOf returns the Ready condition and the status of the servers.
func statusOf(facts []group.ServerFacts) (xpv2.Condition, []v1alpha1.ServerStatus) {
	ready := xpv2.Available()
	ready.Reason = v1alpha1.ReasonProbeSucceeded
	servers := make([]v1alpha1.ServerStatus, 0, len(facts))
	var problems []string
	for _, f := range facts {
		reason, message := problem(f)
		servers = append(servers, v1alpha1.ServerStatus{
			Name: f.Name, Version: f.Version, Storage: storageNames[f.Storage], HAState: f.HAState, Message: message, Warnings: f.Warnings,
		})
		if message == "" {
			continue
		}
		if len(problems) == 0 {
			ready = xpv2.Unavailable()
			ready.Reason = reason
		}
		problems = append(problems, fmt.Sprintf("server %s: %s", f.Name, message))
	}
	return ready.WithMessage(strings.Join(problems, "; ")), servers
}

// problem says what is wrong with a server; "" if nothing is.
func problem(f group.ServerFacts) (xpv2.ConditionReason, string) {
	if f.Err != nil {
		return reasonOf(f.Err), f.Err.Error()
	}
	if len(f.MissingHooks) > 0 {
		texts := make([]string, 0, len(f.MissingHooks))
		for _, h := range f.MissingHooks {
			texts = append(texts, fmt.Sprintf("%s is not loaded: load it in hooks-libraries of kea-dhcp4; until then %s", h, hookUses[h]))
		}
		return v1alpha1.ReasonHookMissing, strings.Join(texts, "; ")
	}
	if f.SubnetsErr != nil {
		return v1alpha1.ReasonNoSubnets, f.SubnetsErr.Error()
	}
	if f.SaveErr != nil {
		return v1alpha1.ReasonNotSaved, notSaved(f.SaveErr)
	}
	return "", ""
}

// notSaved says why reservations in memory are not in Kea's configuration file.
// Where Kea refused to write it, the remedy is not in Kea's text.
func notSaved(err error) string {
	var remedy string
	if rejected := (*kea.RejectedError)(nil); errors.As(err, &rejected) {
		remedy = "let kea-dhcp4 write its configuration file, "
	}
	return fmt.Sprintf("cannot save reservations in memory to Kea's configuration file: %s; %sor set hosts.persist to Never; "+
		"reservations work, and are restored after a restart of Kea", err, remedy)
}

// reasonOf returns the reason for the Ready condition that fits a server's error.
func reasonOf(err error) xpv2.ConditionReason {
	var (
		unreachable  *kea.UnreachableError
		unauthorized *kea.UnauthorizedError
		unsupported  *kea.UnsupportedError
	)
	switch {
	case errors.Is(err, group.ErrNoDatabase):
		return v1alpha1.ReasonNoHostDatabase
	case errors.Is(err, group.ErrDatabaseReadOnly):
		return v1alpha1.ReasonDatabaseReadOnly
	case errors.Is(err, group.ErrNoSubnets):
		return v1alpha1.ReasonNoSubnets
	case errors.As(err, &unreachable):
		return v1alpha1.ReasonUnreachable
	case errors.As(err, &unauthorized):
		return v1alpha1.ReasonUnauthorized
	case errors.As(err, &unsupported):
		return v1alpha1.ReasonHookMissing
	default:
		return v1alpha1.ReasonUnexpectedAnswer
	}
}

// lastKnown returns the last status of the servers that are still configured,
// without what was wrong with them then.
func lastKnown(spec *v1alpha1.ProviderConfigSpec, servers []v1alpha1.ServerStatus) []v1alpha1.ServerStatus {
	var out []v1alpha1.ServerStatus
	for _, s := range servers {
		if slices.ContainsFunc(spec.Servers, func(c v1alpha1.Server) bool { return c.Name == s.Name }) {
			s.Message = ""
			out = append(out, s)
		}
	}
	return out
}

// unusable returns the Ready condition of a configuration that cannot be used.
func unusable(reason xpv2.ConditionReason, err error) xpv2.Condition {
	c := xpv2.Unavailable()
	c.Reason = reason
	return c.WithMessage(err.Error())
}
