// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
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

// status is what is reported of a provider configuration.
type status struct {
	ready, healthy xpv2.Condition
	servers        []v1alpha1.ServerStatus
	serving        string
}

// problem is what is wrong with a server; without a message, nothing is.
type problem struct {
	server  string
	serves  bool
	state   group.Health
	since   time.Time
	reason  xpv2.ConditionReason
	message string
}

// statusOf returns the status for what is known of the servers.
func statusOf(facts []group.ServerFacts) status {
	var (
		problems []problem
		serving  int
		out      status
	)
	for _, f := range facts {
		p := problemOf(f)
		out.servers = append(out.servers, serverStatus(f, p.message))
		if p.serves {
			serving++
		}
		if p.message != "" {
			problems = append(problems, p)
		}
	}
	out.serving = servingText(serving, len(facts))
	out.ready = readyOf(problems, serving, len(problems) < len(facts))
	out.healthy = healthyOf(problems)
	return out
}

func servingText(serving, of int) string { return fmt.Sprintf("%d/%d", serving, of) }

// readyOf returns the Ready condition: True if a server serves without a problem.
// Otherwise what matters is what is wrong with the servers that serve, if there are any.
func readyOf(problems []problem, serving int, fine bool) xpv2.Condition {
	if fine {
		c := xpv2.Available()
		c.Reason = v1alpha1.ReasonProbeSucceeded
		return c
	}
	c := xpv2.Unavailable()
	var texts []string
	for _, p := range problems {
		if serving > 0 && !p.serves {
			continue
		}
		if len(texts) == 0 {
			c.Reason = p.reason
		}
		texts = append(texts, fmt.Sprintf("server %s: %s", p.server, p.message))
	}
	return c.WithMessage(strings.Join(texts, "; "))
}

// healthyOf returns the Healthy condition: True if there are no problems.
func healthyOf(problems []problem) xpv2.Condition {
	if len(problems) == 0 {
		return healthy(corev1.ConditionTrue, v1alpha1.ReasonAllServersServe, "")
	}
	reason := problems[0].reason
	texts := make([]string, 0, len(problems))
	for _, p := range problems {
		if !p.serves {
			reason = v1alpha1.ReasonServersNotServing
		}
		texts = append(texts, fmt.Sprintf("server %s%s: %s", p.server, p.sinceText(), p.message))
	}
	return healthy(corev1.ConditionFalse, reason, strings.Join(texts, "; "))
}

func healthy(s corev1.ConditionStatus, reason xpv2.ConditionReason, message string) xpv2.Condition {
	return xpv2.Condition{Type: v1alpha1.TypeHealthy, Status: s, LastTransitionTime: metav1.Now(), Reason: reason, Message: message}
}

// sinceText says since when a server does not serve; "" if it does, or if that is
// not known.
func (p *problem) sinceText() string {
	if p.serves || p.since.IsZero() {
		return ""
	}
	return fmt.Sprintf(" is %s since %s", p.state, p.since.UTC().Format(time.RFC3339))
}

// serverStatus returns what is reported of a server.
func serverStatus(f group.ServerFacts, message string) v1alpha1.ServerStatus {
	out := v1alpha1.ServerStatus{
		Name: f.Name, State: v1alpha1.ServerHealth(f.State), Version: f.Version, Storage: storageNames[f.Storage],
		HAState: f.HAState, Message: message, Warnings: f.Warnings,
	}
	if !f.Since.IsZero() {
		// The API keeps whole seconds: with more, each write would differ from what is read.
		out.Since = &metav1.Time{Time: f.Since.Truncate(time.Second)}
	}
	if !f.LastRead.IsZero() {
		out.Reservations = new(int64(f.Reservations))
		if !serves(f) {
			out.LastRead = &metav1.Time{Time: f.LastRead.Truncate(time.Second)}
		}
	}
	for _, h := range f.HA {
		out.HA = append(out.HA, v1alpha1.HAStatus{
			Mode: h.Mode, ServerName: h.ServerName, Role: h.Role, State: h.State, PeerName: h.PeerName, PeerState: h.PeerState,
		})
	}
	return out
}

// plainLogin is the warning about a server that is sent the password in clear.
const plainLogin = "the password is sent to it over plain http, and can be read on the way: turn on TLS in Kea, and start the URL with https://"

// warnOfPlainLogins adds warnings to the status of servers.
func warnOfPlainLogins(spec *v1alpha1.ProviderConfigSpec, servers []v1alpha1.ServerStatus) {
	for i := range spec.Servers {
		if !connection.SendsPasswordInClear(spec, &spec.Servers[i]) {
			continue
		}
		for j := range servers {
			if s := &servers[j]; s.Name == spec.Servers[i].Name {
				s.Warnings = append(slices.Clone(s.Warnings), plainLogin)
			}
		}
	}
}

// serves reports whether what is known of a server is true of it now.
func serves(f group.ServerFacts) bool { return f.Err == nil && f.State == group.Up }

// unprobedDelay is how long the report waits for servers that have not answered
// yet, after the first one has begun to serve.
const unprobedDelay = 5 * time.Second

// untilReport returns how long to wait before servers are reported some of which
// have not been probed, and whether there is one that serves: a server that hangs
// must not keep the status from saying so.
func untilReport(facts []group.ServerFacts, now time.Time) (time.Duration, bool) {
	var first time.Time
	found := false
	for _, f := range facts {
		if serves(f) && (!found || f.Since.Before(first)) {
			first, found = f.Since, true
		}
	}
	return max(0, first.Add(unprobedDelay).Sub(now)), found
}

// problemOf returns what is wrong with a server. The worst hides the rest.
func problemOf(f group.ServerFacts) problem {
	p := problem{server: f.Name, serves: serves(f), state: f.State, since: f.Since}
	p.reason, p.message = reasonAndMessage(f, p.serves)
	p.message = kea.Printable(p.message, kea.MaxMessage)
	return p
}

// reasonAndMessage say what is wrong with a server; "" if nothing is.
func reasonAndMessage(f group.ServerFacts, serves bool) (xpv2.ConditionReason, string) {
	if f.Err != nil {
		return reasonOf(f.Err), f.Err.Error()
	}
	if !serves {
		return v1alpha1.ReasonUnreachable, "it has not answered yet: check that kea-dhcp4 is running and not overloaded"
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
		secret       *connection.SecretError
		forbidden    *kea.ForbiddenError
		answer       *kea.LimitError
		content      *group.LimitError
	)
	switch {
	case errors.As(err, &forbidden):
		return v1alpha1.ReasonHostNotAllowed
	case errors.As(err, &secret):
		return v1alpha1.ReasonSecretUnusable
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
	case errors.As(err, &answer), errors.As(err, &content):
		return v1alpha1.ReasonLimitExceeded
	default:
		return v1alpha1.ReasonUnexpectedAnswer
	}
}

// unusable returns the status of a configuration that cannot be used.
func unusable(pc config, reason xpv2.ConditionReason, err error) status {
	ready := xpv2.Unavailable()
	ready.Reason = reason
	return status{
		ready:   ready.WithMessage(err.Error()),
		healthy: healthy(corev1.ConditionFalse, reason, err.Error()),
		servers: lastKnown(pc.GetSpec(), pc.GetServers()),
		serving: servingText(0, len(pc.GetSpec().Servers)),
	}
}
