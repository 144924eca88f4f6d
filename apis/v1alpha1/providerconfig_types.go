// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Server is the control socket of one kea-dhcp4.
type Server struct {
	// Name of the server in conditions and metrics, for example kea1.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a server's name must be lower case letters, digits, dots and dashes: write for example kea1"
	Name string `json:"name"`

	// URL of the server's HTTP control socket, for example
	// https://kea1.example.com:8000. The port of an HA listener does not do: it
	// refuses reservation commands.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must start with http:// or https:// and name a host: write for example https://kea1.example.com:8000"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@')",message="url must not hold credentials: put username and password in a Secret and name it in credentials.secretRef"
	URL string `json:"url"`

	// Credentials for this server, in place of spec.credentials. With source: None
	// no credentials are sent to it.
	// +optional
	Credentials *Credentials `json:"credentials,omitempty"`

	// TLS settings for this server, in place of all of spec.tls.
	// +optional
	TLS *TLS `json:"tls,omitempty"`
}

// HostStorage is where a Kea server keeps host reservations.
type HostStorage string

// Where a Kea server may keep host reservations.
const (
	HostStorageAuto     HostStorage = "Auto"
	HostStorageMemory   HostStorage = "Memory"
	HostStorageDatabase HostStorage = "Database"
)

// HostPersistence is how reservations in memory survive a restart of Kea.
type HostPersistence string

// How reservations in memory may survive a restart of Kea.
const (
	HostPersistenceNever       HostPersistence = "Never"
	HostPersistenceConfigWrite HostPersistence = "ConfigWrite"
)

// Hosts says where the servers keep host reservations, and how these survive a
// restart.
//
// +kubebuilder:validation:XValidation:rule="!self.shared || self.storage != 'Memory'",message="shared means one hosts-database behind all servers: set storage to Database or Auto, or shared to false"
// +kubebuilder:validation:XValidation:rule="self.persist != 'ConfigWrite' || self.storage != 'Database'",message="persist: ConfigWrite is for reservations in memory, a database keeps its own: set persist to Never"
type Hosts struct {
	// Storage is where each server keeps host reservations: Memory (Kea's
	// configuration), Database (a hosts-database), or Auto: the database if Kea has
	// one. A hosts-database with readonly: true needs Memory.
	// +optional
	// +kubebuilder:validation:Enum=Auto;Memory;Database
	// +kubebuilder:default=Auto
	Storage HostStorage `json:"storage,omitempty"`

	// Shared means that all servers use one hosts-database, so that each
	// reservation is written once.
	// +optional
	// +kubebuilder:default=false
	Shared bool `json:"shared"`

	// Persist is how reservations in memory survive a restart of Kea. Never: the
	// provider restores them. ConfigWrite: Kea writes its whole configuration file
	// some seconds after changes (ARM, config-write). That is not sent while the
	// configuration has an option whose content Kea would lose.
	// +optional
	// +kubebuilder:validation:Enum=Never;ConfigWrite
	// +kubebuilder:default=Never
	Persist HostPersistence `json:"persist,omitempty"`
}

// SecretReference names a Secret.
type SecretReference struct {
	// Name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// Namespace of the Secret. Required in a ClusterProviderConfig. A
	// ProviderConfig reads Secrets of its own namespace only, which is the default.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
}

// SecretKeyReference names one key of a Secret.
type SecretKeyReference struct {
	SecretReference `json:",inline"`

	// Key in the Secret's data.
	// +optional
	// +kubebuilder:default=ca.crt
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// Credentials for Kea's basic authentication.
//
// +kubebuilder:validation:XValidation:rule="self.source != 'Secret' || has(self.secretRef)",message="source: Secret needs secretRef: name the Secret that holds username and password, or set source to None"
// +kubebuilder:validation:XValidation:rule="self.source != 'None' || !has(self.secretRef)",message="source: None takes no secretRef: set source to Secret, or leave secretRef out"
type Credentials struct {
	// Source of the credentials: None, or Secret.
	// +kubebuilder:validation:Enum=None;Secret
	// +kubebuilder:default=None
	Source xpv2.CredentialsSource `json:"source"`

	// SecretRef names the Secret. Its keys are username, and password, which may be
	// empty. One newline at the end of a value is ignored.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
}

// TLS settings for https URLs.
type TLS struct {
	// CASecretRef names the key of a Secret with the CA certificates, in PEM, that
	// signed the servers' certificates. The default is the system's.
	// +optional
	CASecretRef *SecretKeyReference `json:"caSecretRef,omitempty"`

	// ClientCertificateSecretRef names a Secret of type kubernetes.io/tls that
	// the provider shows to Kea, in addition to credentials if both are set.
	// +optional
	ClientCertificateSecretRef *SecretReference `json:"clientCertificateSecretRef,omitempty"`

	// ServerName that the servers' certificates must have. The default is the host
	// of the URL.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ServerName string `json:"serverName,omitempty"`

	// InsecureSkipVerify accepts any server certificate, for tests only: anyone on
	// the network path can then read the credentials.
	// +optional
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
}

// A ProviderConfigSpec names the Kea servers that have the host reservations, and
// how to reach them.
type ProviderConfigSpec struct {
	// Servers are the members of one Kea HA group, backups included, at least one.
	// Every reservation is kept on each of them that has its subnet.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="size(self) > 0",message="name at least one server: write for example servers: [{name: kea1, url: 'https://kea1.example.com:8000'}]"
	// +kubebuilder:validation:XValidation:rule="self.all(s, self.exists_one(t, t.name == s.name))",message="servers need different names: write for example kea1 and kea2"
	// +kubebuilder:validation:XValidation:rule="self.all(s, self.exists_one(t, t.url == s.url))",message="servers need different urls: name each server once"
	Servers []Server `json:"servers"`

	// Hosts says where the servers keep host reservations.
	// +optional
	// +kubebuilder:default={storage: Auto, shared: false, persist: Never}
	Hosts Hosts `json:"hosts,omitzero"`

	// Credentials for Kea's basic authentication, for servers without their own.
	// +optional
	// +kubebuilder:default={source: None}
	Credentials Credentials `json:"credentials,omitzero"`

	// TLS settings for https URLs, for servers without their own.
	// +optional
	TLS *TLS `json:"tls,omitempty"`

	// Timeout of one command to Kea, for example 10s.
	// +optional
	// +kubebuilder:default="10s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,7}([.][0-9]{1,9})?(ms|s)|[0-9]{1,4}([.][0-9]{1,9})?(m|h)){1,4}$') && duration(self) >= duration('100ms') && duration(self) <= duration('5m')",message="timeout must be between 100ms and 5m: write for example 10s"
	Timeout metav1.Duration `json:"timeout,omitzero"`

	// SnapshotInterval is how often all reservations and leases are read, for
	// example 30s. Changes that are made outside the provider are noticed within
	// this time; Kea restarts, and leases of devices that are waiting for one,
	// within a sixth of it. It is prolonged, to ten times itself at most, where
	// Kea would spend more than 2 % of its time on being read: with 50,000
	// reservations and leases to about 50s.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,7}([.][0-9]{1,9})?(ms|s)|[0-9]{1,4}([.][0-9]{1,9})?(m|h)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="snapshotInterval must be between 1s and 1h: write for example 30s"
	SnapshotInterval metav1.Duration `json:"snapshotInterval,omitzero"`
}

// A ProviderConfig names the Kea servers for KeaReservations of its own namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={crossplane,provider,kea}
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SERVING",type="string",JSONPath=".status.serving"
// +kubebuilder:printcolumn:name="USERS",type="integer",JSONPath=".status.users"
// +kubebuilder:printcolumn:name="VERSION",type="string",JSONPath=".status.servers[*].version"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type ProviderConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ProviderConfigSpec   `json:"spec"`
	Status ProviderConfigStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// ProviderConfigList holds ProviderConfigs.
type ProviderConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ProviderConfig `json:"items"`
}

// A ClusterProviderConfigSpec names the Kea servers that have the host
// reservations, how to reach them, and who may use them.
type ClusterProviderConfigSpec struct {
	ProviderConfigSpec `json:",inline"`

	// Access is who may use this configuration for what. A KeaReservation is allowed
	// if one entry has its namespace and its subnet. Every namespace may use every
	// subnet, and adopt is Any, if it is left out or empty.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Access []Access `json:"access,omitempty"`

	// FormerClusterUIDs are the UIDs that the kube-system namespace of this cluster
	// had before it was rebuilt. A reservation in Kea that is marked with one of them
	// belongs to the KeaReservation with the namespace and name of its mark, and gets
	// this cluster's UID. Never list the UID of a cluster that still runs: the two
	// would take each other's reservations.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	FormerClusterUIDs []string `json:"formerClusterUIDs,omitempty"`
}

// A ClusterProviderConfig names the Kea servers for KeaReservations of all
// namespaces.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={crossplane,provider,kea}
// +kubebuilder:validation:XValidation:rule="!has(self.spec.credentials.secretRef) || (has(self.spec.credentials.secretRef.__namespace__) && size(self.spec.credentials.secretRef.__namespace__) > 0)",message="credentials.secretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.tls) || !has(self.spec.tls.caSecretRef) || (has(self.spec.tls.caSecretRef.__namespace__) && size(self.spec.tls.caSecretRef.__namespace__) > 0)",message="tls.caSecretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.tls) || !has(self.spec.tls.clientCertificateSecretRef) || (has(self.spec.tls.clientCertificateSecretRef.__namespace__) && size(self.spec.tls.clientCertificateSecretRef.__namespace__) > 0)",message="tls.clientCertificateSecretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="self.spec.servers.all(s, !has(s.credentials) || !has(s.credentials.secretRef) || (has(s.credentials.secretRef.__namespace__) && size(s.credentials.secretRef.__namespace__) > 0))",message="servers[].credentials.secretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="self.spec.servers.all(s, !has(s.tls) || !has(s.tls.caSecretRef) || (has(s.tls.caSecretRef.__namespace__) && size(s.tls.caSecretRef.__namespace__) > 0))",message="servers[].tls.caSecretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="self.spec.servers.all(s, !has(s.tls) || !has(s.tls.clientCertificateSecretRef) || (has(s.tls.clientCertificateSecretRef.__namespace__) && size(s.tls.clientCertificateSecretRef.__namespace__) > 0))",message="servers[].tls.clientCertificateSecretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SERVING",type="string",JSONPath=".status.serving"
// +kubebuilder:printcolumn:name="USERS",type="integer",JSONPath=".status.users"
// +kubebuilder:printcolumn:name="VERSION",type="string",JSONPath=".status.servers[*].version"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type ClusterProviderConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ClusterProviderConfigSpec `json:"spec"`
	Status ProviderConfigStatus      `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// ClusterProviderConfigList holds ClusterProviderConfigs.
type ClusterProviderConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClusterProviderConfig `json:"items"`
}
