// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Server is the control socket of one kea-dhcp4.
type Server struct {
	// Name of the server, for example kea1; it stands in conditions and metrics.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="a server's name must be lower case letters, digits, dots and dashes: write for example kea1"
	Name string `json:"name"`

	// URL of the server's HTTP control socket, for example
	// https://kea1.example.com:8000. Not the port of an HA listener: that one
	// refuses reservations.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must start with http:// or https:// and name a host: write for example https://kea1.example.com:8000"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@')",message="url must not hold credentials: put username and password in a Secret and name it in credentials.secretRef"
	URL string `json:"url"`
}

// HostStorage tells where a Kea server keeps its host reservations.
type HostStorage string

// Places where a Kea server may keep host reservations.
const (
	HostStorageAuto     HostStorage = "Auto"
	HostStorageMemory   HostStorage = "Memory"
	HostStorageDatabase HostStorage = "Database"
)

// HostPersistence tells what is done to keep memory hosts over a restart.
type HostPersistence string

// Ways to keep memory hosts.
const (
	HostPersistenceNever       HostPersistence = "Never"
	HostPersistenceConfigWrite HostPersistence = "ConfigWrite"
)

// Hosts tells where and how the servers keep host reservations.
//
// +kubebuilder:validation:XValidation:rule="!self.shared || self.storage != 'Memory'",message="shared means one hosts-database behind all servers: set storage to Database or Auto, or shared to false"
// +kubebuilder:validation:XValidation:rule="self.persist != 'ConfigWrite' || self.storage != 'Database'",message="persist: ConfigWrite is for memory hosts, a database keeps its hosts by itself: set persist to Never"
type Hosts struct {
	// Storage is where each server keeps host reservations: Memory, Database (a
	// hosts-database), or Auto to find out.
	// +optional
	// +kubebuilder:validation:Enum=Auto;Memory;Database
	// +kubebuilder:default=Auto
	Storage HostStorage `json:"storage,omitempty"`

	// Shared means that one hosts-database serves all servers, so that a
	// reservation is written once.
	// +optional
	// +kubebuilder:default=false
	Shared bool `json:"shared"`

	// Persist tells how memory hosts outlive a restart of Kea: Never (they are
	// put back from here), or ConfigWrite (Kea writes its configuration file
	// after changes, debounced; see Kea's ARM on config-write for what it
	// rewrites).
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

	// Namespace of the Secret. A ClusterProviderConfig needs it; a
	// ProviderConfig reads Secrets from its own namespace only and can leave it
	// out.
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

	// SecretRef names the Secret; its keys are username and password.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
}

// TLS settings for https URLs.
type TLS struct {
	// CASecretRef names the key of a Secret that holds the CA certificates that
	// signed the servers' certificates, in PEM. The system's are used where it
	// is left out.
	// +optional
	CASecretRef *SecretKeyReference `json:"caSecretRef,omitempty"`

	// ClientCertificateSecretRef names a Secret of type kubernetes.io/tls that
	// the provider shows to Kea, in addition to credentials if both are set.
	// +optional
	ClientCertificateSecretRef *SecretReference `json:"clientCertificateSecretRef,omitempty"`

	// ServerName that the servers' certificates must be made out to. The host
	// of the URL where it is left out.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ServerName string `json:"serverName,omitempty"`

	// InsecureSkipVerify accepts any server certificate. Anyone on the way can
	// then read the credentials: for tests only.
	// +optional
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
}

// A ProviderConfigSpec names the Kea servers that keep host reservations, and
// how to talk to them.
type ProviderConfigSpec struct {
	// Servers are the members of one Kea HA group, at least one. This version of
	// the provider takes one: with more, Ready is False, NotSupported.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="size(self) > 0",message="name at least one server: write for example servers: [{name: kea1, url: 'https://kea1.example.com:8000'}]"
	// +kubebuilder:validation:XValidation:rule="self.all(s, self.exists_one(t, t.name == s.name))",message="servers need different names: write for example kea1 and kea2"
	// +kubebuilder:validation:XValidation:rule="self.all(s, self.exists_one(t, t.url == s.url))",message="servers need different urls: name each server once"
	Servers []Server `json:"servers"`

	// Hosts tells where the servers keep host reservations.
	// +optional
	// +kubebuilder:default={storage: Auto, shared: false, persist: Never}
	Hosts Hosts `json:"hosts,omitzero"`

	// Credentials for Kea's basic authentication.
	// +optional
	// +kubebuilder:default={source: None}
	Credentials Credentials `json:"credentials,omitzero"`

	// TLS settings for https URLs.
	// +optional
	TLS *TLS `json:"tls,omitempty"`

	// Timeout of one command, for example 10s.
	// +optional
	// +kubebuilder:default="10s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,7}([.][0-9]{1,9})?(ms|s)|[0-9]{1,4}([.][0-9]{1,9})?(m|h)){1,4}$') && duration(self) >= duration('100ms') && duration(self) <= duration('5m')",message="timeout must be between 100ms and 5m: write for example 10s"
	Timeout metav1.Duration `json:"timeout,omitzero"`

	// SnapshotInterval is how often the servers' reservations and leases are
	// read anew, for example 30s. Changes that others make in Kea are seen at
	// the latest after this time; a restart of Kea, and the first lease of a
	// device that waits for one, after a sixth of it.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,7}([.][0-9]{1,9})?(ms|s)|[0-9]{1,4}([.][0-9]{1,9})?(m|h)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="snapshotInterval must be between 1s and 1h: write for example 30s"
	SnapshotInterval metav1.Duration `json:"snapshotInterval,omitzero"`
}

// ServerStatus is what the last probe of a server found.
type ServerStatus struct {
	// Name of the server.
	Name string `json:"name"`

	// Version of Kea, for example 3.0.3.
	// +optional
	Version string `json:"version,omitempty"`

	// Storage that the server keeps host reservations in: Memory or Database.
	// +optional
	Storage HostStorage `json:"storage,omitempty"`

	// HAState of the server, for example hot-standby. Empty without HA.
	// +optional
	HAState string `json:"haState,omitempty"`

	// Message says what is wrong with the server, and what to do.
	// +optional
	Message string `json:"message,omitempty"`

	// Warnings list what the server is configured to ignore, and what could not
	// be checked. The server is used all the same.
	// +optional
	// +listType=atomic
	Warnings []string `json:"warnings,omitempty"`
}

// A ProviderConfigStatus is the observed state of a provider configuration.
type ProviderConfigStatus struct {
	xpv2.ProviderConfigStatus `json:",inline"`

	// Servers as the last probe found them.
	// +optional
	// +listType=map
	// +listMapKey=name
	Servers []ServerStatus `json:"servers,omitempty"`
}

// A ProviderConfig tells KeaReservations of its own namespace which Kea servers
// keep them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={crossplane,provider,kea}
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="USERS",type="integer",JSONPath=".status.users"
// +kubebuilder:printcolumn:name="SERVERS",type="string",JSONPath=".spec.servers[*].name"
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

// A ClusterProviderConfig tells KeaReservations of any namespace which Kea
// servers keep them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={crossplane,provider,kea}
// +kubebuilder:validation:XValidation:rule="!has(self.spec.credentials.secretRef) || (has(self.spec.credentials.secretRef.__namespace__) && size(self.spec.credentials.secretRef.__namespace__) > 0)",message="credentials.secretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.tls) || !has(self.spec.tls.caSecretRef) || (has(self.spec.tls.caSecretRef.__namespace__) && size(self.spec.tls.caSecretRef.__namespace__) > 0)",message="tls.caSecretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.tls) || !has(self.spec.tls.clientCertificateSecretRef) || (has(self.spec.tls.clientCertificateSecretRef.__namespace__) && size(self.spec.tls.clientCertificateSecretRef.__namespace__) > 0)",message="tls.clientCertificateSecretRef needs a namespace: a ClusterProviderConfig has none of its own"
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="USERS",type="integer",JSONPath=".status.users"
// +kubebuilder:printcolumn:name="SERVERS",type="string",JSONPath=".spec.servers[*].name"
// +kubebuilder:printcolumn:name="VERSION",type="string",JSONPath=".status.servers[*].version"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type ClusterProviderConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ProviderConfigSpec   `json:"spec"`
	Status ProviderConfigStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// ClusterProviderConfigList holds ClusterProviderConfigs.
type ClusterProviderConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClusterProviderConfig `json:"items"`
}
