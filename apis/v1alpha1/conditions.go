// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// Condition types of a KeaReservation, beside Ready and Synced.
const (
	// TypeReplicated reports whether every server that should have the
	// reservation has it.
	TypeReplicated xpv2.ConditionType = "Replicated"

	// TypeLeaseConfirmed reports whether the device's active lease is the
	// reserved address: True, False (it has another), or Unknown (it has none).
	TypeLeaseConfirmed xpv2.ConditionType = "LeaseConfirmed"
)

// Condition types of a provider configuration, beside Ready. Ready is True if at
// least one server serves without a problem: what is wrong with the others is in
// Healthy. With one server both are True or False together.
const (
	// TypeHealthy reports whether every server serves without a problem. Its message
	// names each that does not, what is wrong, and since when.
	TypeHealthy xpv2.ConditionType = "Healthy"
)

// Reasons of a KeaReservation's Ready condition.
const (
	// ReasonReserved means that Kea has the reservation as wanted, and that
	// nothing is known that would make Kea ignore it.
	ReasonReserved xpv2.ConditionReason = "Reserved"
	// ReasonAwaitingLease means that no address is set, and that the device has
	// no active lease in the subnet.
	ReasonAwaitingLease xpv2.ConditionReason = "AwaitingLease"
	// ReasonSubnetNotFound means that Kea does not have the subnet.
	ReasonSubnetNotFound xpv2.ConditionReason = "SubnetNotFound"
	// ReasonAddressConflict means that the address is reserved for another host.
	ReasonAddressConflict xpv2.ConditionReason = "AddressConflict"
	// ReasonAddressNotInSubnet means that the address is not one of the subnet's
	// host addresses.
	ReasonAddressNotInSubnet xpv2.ConditionReason = "AddressNotInSubnet"
	// ReasonOwnedByAnother means that the reservation is marked as another
	// resource's.
	ReasonOwnedByAnother xpv2.ConditionReason = "OwnedByAnother"
	// ReasonNotAllowed means that access of the provider configuration does not
	// allow the subnet to the namespace, or does not allow to take over a
	// reservation that exists already.
	ReasonNotAllowed xpv2.ConditionReason = "NotAllowed"
	// ReasonAddressDiffers means that Kea has a reservation of the device that
	// belongs to no resource, with another address: it is not changed.
	ReasonAddressDiffers xpv2.ConditionReason = "AddressDiffers"
	// ReasonHookMissing means that Kea lacks a hook library that is needed. A
	// provider configuration has it too.
	ReasonHookMissing xpv2.ConditionReason = "HookMissing"
	// ReasonOpaqueOption means that the reservation has an option whose content
	// Kea does not return, so that writing would erase it.
	ReasonOpaqueOption xpv2.ConditionReason = "OpaqueOption"
	// ReasonIgnoredByKea means that Kea has the reservation, and is configured to
	// ignore it.
	ReasonIgnoredByKea xpv2.ConditionReason = "IgnoredByKea"
	// ReasonRefused means that Kea refused the change, or did not keep it. It is
	// not sent again until the spec changes.
	ReasonRefused xpv2.ConditionReason = "Refused"
)

// Reasons of a KeaReservation's LeaseConfirmed condition.
const (
	// ReasonLeaseMatches means that the device's lease is the reserved address.
	ReasonLeaseMatches xpv2.ConditionReason = "LeaseMatches"
	// ReasonOtherLease means that the device has another address until it asks
	// again.
	ReasonOtherLease xpv2.ConditionReason = "OtherAddressLeased"
	// ReasonTwoLeases means that the device has two active leases, under two
	// client-ids.
	ReasonTwoLeases xpv2.ConditionReason = "TwoLeases"
	// ReasonAddressInUse means that the reserved address is leased to another
	// device.
	ReasonAddressInUse xpv2.ConditionReason = "AddressInUse"
	// ReasonAddressDeclined means that a device declined the reserved address, as
	// it found it in use, and that Kea does not offer it for a while.
	ReasonAddressDeclined xpv2.ConditionReason = "AddressDeclined"
	// ReasonNoActiveLease means that the device has no active lease in the subnet.
	ReasonNoActiveLease xpv2.ConditionReason = "NoActiveLease"
	// ReasonLeasesUnknown means that leases cannot be read, or may not be.
	ReasonLeasesUnknown xpv2.ConditionReason = "LeasesUnknown"
)

// Reasons of a KeaReservation's Replicated condition.
const (
	// ReasonOnEveryServer means that every server has the reservation.
	ReasonOnEveryServer xpv2.ConditionReason = "OnEveryServer"
	// ReasonServersMissing means that a server lacks the reservation.
	ReasonServersMissing xpv2.ConditionReason = "ServersMissing"
	// ReasonNotReserved means that there is nothing to replicate.
	ReasonNotReserved xpv2.ConditionReason = "NotReserved"
)

// Reasons of a provider configuration's Healthy condition, beside those of Ready:
// False has the reason of Ready if the configuration cannot be used at all, or if
// every server serves and one of them has a problem.
const (
	// ReasonAllServersServe means that every server serves without a problem.
	ReasonAllServersServe xpv2.ConditionReason = "AllServersServe"
	// ReasonServersNotServing means that a server does not serve.
	ReasonServersNotServing xpv2.ConditionReason = "ServersNotServing"
)

// Reasons of a provider configuration's Ready condition, beside
// ReasonHookMissing. If it is False, the reason is that of the first server that
// serves with a problem, or of the first server if none serves.
const (
	// ReasonProbeSucceeded means that a server answers and has what is needed.
	ReasonProbeSucceeded xpv2.ConditionReason = "ProbeSucceeded"
	// ReasonSecretUnusable means that a Secret, or a key of it, is missing or
	// wrong.
	ReasonSecretUnusable xpv2.ConditionReason = "SecretUnusable"
	// ReasonUnreachable means that Kea does not answer.
	ReasonUnreachable xpv2.ConditionReason = "Unreachable"
	// ReasonUnauthorized means that Kea refuses the credentials.
	ReasonUnauthorized xpv2.ConditionReason = "Unauthorized"
	// ReasonNoHostDatabase means that storage is Database and Kea has no
	// hosts-database.
	ReasonNoHostDatabase xpv2.ConditionReason = "NoHostDatabase"
	// ReasonDatabaseReadOnly means that Kea may not write its hosts-database.
	ReasonDatabaseReadOnly xpv2.ConditionReason = "DatabaseReadOnly"
	// ReasonNoSubnets means that Kea answers and has no subnets: its
	// configuration may not have arrived yet.
	ReasonNoSubnets xpv2.ConditionReason = "NoSubnets"
	// ReasonNotSaved means that the reservations in memory are not written to
	// Kea's configuration file.
	ReasonNotSaved xpv2.ConditionReason = "MemoryHostsNotSaved"
	// ReasonLimitExceeded means that Kea sends more than the provider reads, or has more
	// than it keeps of one server.
	ReasonLimitExceeded xpv2.ConditionReason = "LimitExceeded"
	// ReasonUnexpectedAnswer means that the answer is not Kea's, or that Kea
	// refuses what it should not.
	ReasonUnexpectedAnswer xpv2.ConditionReason = "UnexpectedAnswer"
	// ReasonNoPermission means that the provider may not read what it needs.
	ReasonNoPermission xpv2.ConditionReason = "PermissionMissing"
	// ReasonHostNotAllowed means that the provider's operators do not allow
	// ProviderConfigs to lead to the host of a server.
	ReasonHostNotAllowed xpv2.ConditionReason = "HostNotAllowed"
	// ReasonInvalid means that the configuration cannot be used as it is.
	ReasonInvalid xpv2.ConditionReason = "Invalid"
)

// AnnotationKeyAbandon names servers, with commas between them, that the deletion of a KeaReservation
// does not wait for: what they hold stays there.
const AnnotationKeyAbandon = Group + "/abandon"

// AnnotationKeyAdopt set to "true" on a KeaReservation takes over a host
// reservation that is marked as another owner's, and changes the address of one
// that is not marked, as far as access of the provider configuration allows.
const AnnotationKeyAdopt = Group + "/adopt"
