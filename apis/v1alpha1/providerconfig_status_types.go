// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ServerHealth is whether a server serves.
type ServerHealth string

// States of a server.
const (
	// ServerUp means that the server answers and is used.
	ServerUp ServerHealth = "Up"
	// ServerDown means that the server does not answer, or cannot be used.
	ServerDown ServerHealth = "Down"
	// ServerReturning means that the server answers again, and that what it holds is
	// being read.
	ServerReturning ServerHealth = "Returning"
)

// HAStatus is one high-availability relationship of a server, as the server
// itself reports it.
type HAStatus struct {
	// Mode is hot-standby, load-balancing or passive-backup.
	// +optional
	Mode string `json:"mode,omitempty"`

	// ServerName is this-server-name in Kea's configuration.
	// +optional
	ServerName string `json:"serverName,omitempty"`

	// Role of the server: primary, secondary, standby or backup.
	// +optional
	Role string `json:"role,omitempty"`

	// State of the server, for example hot-standby or partner-down.
	// +optional
	State string `json:"state,omitempty"`

	// PeerName is the name of the other server of the relationship.
	// +optional
	PeerName string `json:"peerName,omitempty"`

	// PeerState is the state that the server last heard of the other one.
	// +optional
	PeerState string `json:"peerState,omitempty"`
}

// ServerStatus is what is known of a server beside what it holds.
type ServerStatus struct {
	// Name of the server.
	Name string `json:"name"`

	// State of the server: Up, Down, or Returning (it answers again, and what it holds
	// is being read). One that is Up serves.
	// +optional
	State ServerHealth `json:"state,omitempty"`

	// Since is when the server began to serve, or ceased to, as far as the provider has
	// seen.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// Version of Kea, for example 3.0.3.
	// +optional
	Version string `json:"version,omitempty"`

	// Storage where reservations are written: Memory or Database.
	// +optional
	Storage HostStorage `json:"storage,omitempty"`

	// HAState of the server in its first high-availability relationship, for example
	// hot-standby. Empty without Kea's HA hook.
	// +optional
	HAState string `json:"haState,omitempty"`

	// HA are the high-availability relationships that the server takes part in: one
	// as a rule, several for the hub of a hub-and-spoke setup.
	// +optional
	// +listType=atomic
	HA []HAStatus `json:"ha,omitempty"`

	// Reservations is how many host reservations the server had, of this cluster or
	// not, when it was last read.
	// +optional
	Reservations *int64 `json:"reservations,omitempty"`

	// LastRead is when all that the server holds was last read, for one that does
	// not serve. One that serves is read each snapshotInterval.
	// +optional
	LastRead *metav1.Time `json:"lastRead,omitempty"`

	// Message says what is wrong with the server, and the remedy.
	// +optional
	Message string `json:"message,omitempty"`

	// Warnings say which reservations the server is configured to ignore, and what
	// could not be checked. The server is used all the same.
	// +optional
	// +listType=atomic
	Warnings []string `json:"warnings,omitempty"`
}

// A ProviderConfigStatus is the observed state of a provider configuration.
type ProviderConfigStatus struct {
	xpv2.ProviderConfigStatus `json:",inline"`

	// Serving is how many servers serve, of how many: for example 1/2.
	// +optional
	Serving string `json:"serving,omitempty"`

	// Servers as they were last found.
	// +optional
	// +listType=map
	// +listMapKey=name
	Servers []ServerStatus `json:"servers,omitempty"`

	// Orphans is how many devices have reservations in Kea that are marked as those
	// of KeaReservations of this cluster which do not exist. The provider removes
	// none of them.
	// +optional
	Orphans int64 `json:"orphans,omitempty"`
}
