// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OptionData is a DHCPv4 option that the device gets with its address (Kea ARM,
// "Standard DHCPv4 Options"). An option that is named here is managed as a
// whole: an attribute that is left out has Kea's default.
//
// What csvFormat: false takes is what Kea's OptionDataParser reads: digits, with 0x
// or not; one or two of them between colons or blanks; or text in quotes. A
// hosts-database keeps no more than 253 bytes of it (Kea 3.0.3).
//
// +kubebuilder:validation:XValidation:rule="has(self.name) || has(self.code)",message="an option needs a name or a code: write for example name: domain-name-servers, or code: 6"
// +kubebuilder:validation:XValidation:rule="!has(self.csvFormat) || self.csvFormat || !has(self.data) || self.data.matches(r'^((0x)?[0-9A-Fa-f]+|[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})+|[0-9A-Fa-f]{1,2}( [0-9A-Fa-f]{1,2})+|(?s:\\s*\\x27.*\\S.*\\x27\\s*))?$')",message="data must be hexadecimal digits if csvFormat is false: write for example 0a000002, or leave csvFormat out to write values"
// +kubebuilder:validation:XValidation:rule="!has(self.csvFormat) || self.csvFormat || !has(self.data) || (self.data.contains(\"'\") ? size(bytes(self.data.trim())) <= 255 : self.data.contains(':') ? self.data.split(':').size() <= 253 : self.data.contains(' ') ? self.data.split(' ').size() <= 253 : self.data.replace('0x', \"\").size() <= 506)",message="data may have at most 253 bytes if csvFormat is false: define the option in Kea (option-def) to write longer data as values"
type OptionData struct {
	// Name of the option as Kea knows it, for example domain-name-servers.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="!self.contains(' ')",message="an option's name has no blanks: write for example domain-name-servers"
	Name string `json:"name,omitempty"`

	// Code of the option, 1 to 254, for example 6. Needed only for an option
	// that Kea has no name for.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=254
	Code *int32 `json:"code,omitempty"`

	// Space that the option belongs to. Kea's default is dhcp4.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self == '' || (self != 'dhcp6' && self.matches('^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$'))",message="space must be a DHCPv4 option space, letters, digits, dashes and underscores: write for example vendor-4491, or leave it out for dhcp4"
	Space string `json:"space,omitempty"`

	// Data of the option, at most 4096 bytes. Several values are separated by
	// commas, for example "10.0.0.2, 10.0.0.3". Hexadecimal digits, of at most 253
	// bytes, if csvFormat is false.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 4096",message="data may not be more than 4096 bytes: letters outside ASCII have two to four"
	// +kubebuilder:validation:XValidation:rule="!self.contains('\\u0000')",message="data may not have a null character: Kea's hosts-database would cut it off there"
	Data string `json:"data,omitempty"`

	// AlwaysSend sends the option even to a device that does not ask for it.
	// Kea's default is false.
	// +optional
	AlwaysSend *bool `json:"alwaysSend,omitempty"`

	// NeverSend keeps the option from the device, even if the subnet or a client
	// class sets it. Kea's default is false.
	// +optional
	NeverSend *bool `json:"neverSend,omitempty"`

	// ClientClasses limits the option to a device that is in one of these
	// classes. Kea sends it to every device if the list is empty. A hosts-database
	// keeps them from Kea 3.1 on.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(c, self.exists_one(d, d == c))",message="an option's clientClasses must differ: name each class once"
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	ClientClasses []string `json:"clientClasses,omitempty"`

	// CSVFormat says whether data holds values (true) or hexadecimal digits
	// (false). Kea's default is true for an option that it has a definition of.
	// +optional
	CSVFormat *bool `json:"csvFormat,omitempty"`
}

// KeaReservationParameters are the wanted state of a host reservation. A field
// that is left out is not managed: Kea's value stays.
//
// +kubebuilder:validation:XValidation:rule="has(self.subnet) != has(self.subnetId)",message="set exactly one of subnet (for example 10.123.0.0/24) and subnetId (for example 1)"
// +kubebuilder:validation:XValidation:rule="has(self.subnet) == has(oldSelf.subnet) && (!has(self.subnet) || self.subnet == oldSelf.subnet)",message="subnet is immutable: delete this KeaReservation and create one in the other subnet"
// +kubebuilder:validation:XValidation:rule="has(self.subnetId) == has(oldSelf.subnetId) && (!has(self.subnetId) || self.subnetId == oldSelf.subnetId)",message="subnetId is immutable: delete this KeaReservation and create one in the other subnet"
// +kubebuilder:validation:XValidation:rule="!has(self.subnet) || !has(self.ipAddress) || !isCIDR(self.subnet) || !isIP(self.ipAddress) || ip(self.ipAddress).family() != 4 || cidr(self.subnet).ip().family() != 4 || cidr(self.subnet).containsIP(self.ipAddress)",message="ipAddress is not inside subnet: choose an address of that subnet, or leave ipAddress out to reserve the address of the device's lease"
// +kubebuilder:validation:XValidation:rule="!has(self.subnet) || !has(self.ipAddress) || !isCIDR(self.subnet) || !isIP(self.ipAddress) || cidr(self.subnet).prefixLength() > 30 || !(ip(self.ipAddress) == cidr(self.subnet).masked().ip())",message="ipAddress is the network address of subnet: choose a host address"
// +kubebuilder:validation:XValidation:rule="!has(self.subnet) || !has(self.ipAddress) || !isCIDR(self.subnet) || !isIP(self.ipAddress) || ip(self.ipAddress).family() != 4 || !cidr(self.subnet).containsIP(self.ipAddress) || cidr(self.subnet).prefixLength() > 30 || (((int(self.ipAddress.split('.')[0]) * 256 + int(self.ipAddress.split('.')[1])) * 256 + int(self.ipAddress.split('.')[2])) * 256 + int(self.ipAddress.split('.')[3]) + 1) % [4294967296, 2147483648, 1073741824, 536870912, 268435456, 134217728, 67108864, 33554432, 16777216, 8388608, 4194304, 2097152, 1048576, 524288, 262144, 131072, 65536, 32768, 16384, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4][cidr(self.subnet).prefixLength()] != 0",message="ipAddress is the broadcast address of subnet: choose a host address"
type KeaReservationParameters struct {
	// Subnet of the reservation, as the IPv4 prefix in Kea's configuration, for
	// example 10.123.0.0/24. Set this or subnetId. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self).ip().family() == 4",message="subnet must be an IPv4 prefix: write it as address/length, for example 10.123.0.0/24"
	// +kubebuilder:validation:XValidation:rule="!isCIDR(self) || cidr(self).ip().family() != 4 || cidr(self) == cidr(self).masked()",message="subnet has host bits set: write the network address, for example 10.123.0.0/24 and not 10.123.0.5/24"
	Subnet string `json:"subnet,omitempty"`

	// SubnetID is Kea's subnet-id of the subnet, for example 1. Use it if Kea does
	// not load libdhcp_subnet_cmds.so, and subnet otherwise: the ids of one prefix
	// may differ between servers. Immutable.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967294
	SubnetID *int64 `json:"subnetId,omitempty"`

	// HWAddress is the device's hardware (MAC) address, for example
	// 00:02:12:34:56:78. Upper case and dashes are accepted. Immutable.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9A-Fa-f]{2}((:[0-9A-Fa-f]{2}){5}|(-[0-9A-Fa-f]{2}){5})$')",message="hwAddress must be six bytes in hexadecimal, separated by colons or dashes: write for example 00:02:12:34:56:78"
	// +kubebuilder:validation:XValidation:rule="self.lowerAscii().replace('-', ':') == oldSelf.lowerAscii().replace('-', ':')",message="hwAddress is immutable: delete this KeaReservation and create one for the other device"
	HWAddress string `json:"hwAddress"`

	// IPAddress to reserve for the device, for example 10.123.0.50. If it is left
	// out, the address that Kea already has reserved for the device is kept, or the
	// address of the device's active lease is reserved once it has one. That
	// address is then set here.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isIP(self) && ip(self).family() == 4",message="ipAddress must be an IPv4 address: write for example 10.123.0.50, or leave it out to reserve the address of the device's lease"
	// +kubebuilder:validation:XValidation:rule="!(self in ['0.0.0.0', '255.255.255.255'])",message="Kea reserves neither 0.0.0.0 nor 255.255.255.255: write for example 10.123.0.50, or leave ipAddress out to reserve the address of the device's lease"
	IPAddress string `json:"ipAddress,omitempty"`

	// Hostname that Kea gives the device, for example vm01.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?([.][A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*[.]?$')",message="hostname must be a DNS name: labels of at most 63 letters, digits, dashes and underscores, separated by dots: write for example vm01.example.com"
	Hostname *string `json:"hostname,omitempty"`

	// ClientClasses that Kea puts the device into, in order of evaluation. An
	// empty list removes it from all classes. Their names may have 255 bytes
	// altogether, with a comma between each two.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="size(bytes(self.join(','))) <= 255",message="the names of clientClasses may not be more than 255 bytes altogether, with a comma between each two: Kea's hosts-database keeps no more; use fewer classes or shorter names"
	// +kubebuilder:validation:XValidation:rule="self.all(c, c.matches('^[^,[:cntrl:]]*$'))",message="the name of a class may have neither a comma nor a control character: name each class in an entry of its own"
	// +kubebuilder:validation:XValidation:rule="self.all(c, c == c.trim())",message="the name of a class may not begin or end with a blank: Kea removes it"
	// +kubebuilder:validation:XValidation:rule="self.all(c, self.exists_one(d, d == c))",message="clientClasses must differ: name each class once"
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	ClientClasses []string `json:"clientClasses,omitzero"`

	// OptionData are DHCPv4 options for this device alone. Options that are not
	// named here stay as Kea has them. An option may be named several times, with
	// other data or other clientClasses.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(a, (!has(a.name) && !has(a.code)) || self.exists_one(b, ((has(a.code) && has(b.code) && a.code == b.code) || (has(a.name) && has(b.name) && a.name == b.name)) && (has(a.space) && a.space != '' ? a.space : 'dhcp4') == (has(b.space) && b.space != '' ? b.space : 'dhcp4') && (has(a.data) ? a.data : '') == (has(b.data) ? b.data : '') && (has(a.clientClasses) ? a.clientClasses : []) == (has(b.clientClasses) ? b.clientClasses : [])))",message="two entries of optionData for one option must differ in data or in clientClasses: remove one of them"
	OptionData []OptionData `json:"optionData,omitzero"`

	// NextServer is the address of the device's boot server (siaddr, RFC 2131),
	// for example 10.0.0.5.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self == '' || (isIP(self) && ip(self).family() == 4)",message="nextServer must be an IPv4 address: write for example 10.0.0.5"
	// +kubebuilder:validation:XValidation:rule="self != '255.255.255.255'",message="Kea refuses 255.255.255.255 as nextServer: write for example 10.0.0.5"
	NextServer *string `json:"nextServer,omitempty"`

	// ServerHostname is the name of the device's boot server (sname, RFC 2131),
	// at most 63 bytes.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 63",message="serverHostname may not be more than 63 bytes: letters outside ASCII have two to four"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:]]*$')",message="serverHostname may not have a control character: write for example boot.example.com"
	ServerHostname *string `json:"serverHostname,omitempty"`

	// BootFileName is the file that the device boots (file, RFC 2131), at most
	// 127 bytes.
	// +optional
	// +kubebuilder:validation:MaxLength=127
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 127",message="bootFileName may not be more than 127 bytes: letters outside ASCII have two to four"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:]]*$')",message="bootFileName may not have a control character: write for example pxelinux.0"
	BootFileName *string `json:"bootFileName,omitempty"`
}

// A KeaReservationSpec defines the wanted state of a KeaReservation.
type KeaReservationSpec struct {
	xpv2.ManagedResourceSpec `json:",inline"`

	// ForProvider is the wanted host reservation.
	ForProvider KeaReservationParameters `json:"forProvider"`
}

// A KeaReservation is a DHCPv4 host reservation in ISC Kea, which pins a device's
// IPv4 address. It is removed from Kea when this resource is deleted.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:validation:XValidation:rule="self.spec.providerConfigRef == oldSelf.spec.providerConfigRef || !has(oldSelf.status) || !has(oldSelf.status.atProvider) || !has(oldSelf.status.atProvider.ipAddress)",message="providerConfigRef is immutable once Kea has the reservation, which would stay there: delete this KeaReservation and create one with the other configuration"
// +kubebuilder:resource:scope=Namespaced,categories={crossplane,managed,kea}
// +kubebuilder:selectablefield:JSONPath=".spec.providerConfigRef.kind"
// +kubebuilder:selectablefield:JSONPath=".spec.providerConfigRef.name"
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SYNCED",type="string",JSONPath=".status.conditions[?(@.type=='Synced')].status"
// +kubebuilder:printcolumn:name="EXTERNAL-NAME",type="string",JSONPath=".metadata.annotations.crossplane\\.io/external-name"
// +kubebuilder:printcolumn:name="MAC",type="string",JSONPath=".spec.forProvider.hwAddress"
// +kubebuilder:printcolumn:name="IP",type="string",JSONPath=".status.atProvider.ipAddress"
// +kubebuilder:printcolumn:name="SUBNET",type="string",JSONPath=".status.atProvider.subnet"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type KeaReservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   KeaReservationSpec   `json:"spec"`
	Status KeaReservationStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true

// KeaReservationList holds KeaReservations.
type KeaReservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []KeaReservation `json:"items"`
}
