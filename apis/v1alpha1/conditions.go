// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// Condition types of a KeaReservation, beside Ready and Synced.
const (
	// TypeReplicated tells whether every server that should hold the
	// reservation does.
	TypeReplicated xpv2.ConditionType = "Replicated"

	// TypeLeaseConfirmed tells whether the device's active lease is the reserved
	// address: True; False, it has another one; Unknown, it has none.
	TypeLeaseConfirmed xpv2.ConditionType = "LeaseConfirmed"
)

// Reasons of a KeaReservation's Ready condition.
const (
	ReasonReserved           xpv2.ConditionReason = "Reserved"
	ReasonAwaitingLease      xpv2.ConditionReason = "AwaitingLease"
	ReasonSubnetNotFound     xpv2.ConditionReason = "SubnetNotFound"
	ReasonAddressConflict    xpv2.ConditionReason = "AddressConflict"
	ReasonOwnedByAnother     xpv2.ConditionReason = "OwnedByAnother"
	ReasonHookMissing        xpv2.ConditionReason = "HookMissing"
	ReasonAddressNotInSubnet xpv2.ConditionReason = "AddressNotInSubnet"
)

// Reasons of a KeaReservation's LeaseConfirmed condition.
const (
	ReasonLeaseMatches  xpv2.ConditionReason = "LeaseMatches"
	ReasonOtherLease    xpv2.ConditionReason = "OtherAddressLeased"
	ReasonNoActiveLease xpv2.ConditionReason = "NoActiveLease"
	ReasonLeasesUnknown xpv2.ConditionReason = "LeasesUnknown"
)

// Reasons of a KeaReservation's Replicated condition.
const (
	ReasonOnEveryServer  xpv2.ConditionReason = "OnEveryServer"
	ReasonServersMissing xpv2.ConditionReason = "ServersMissing"
	ReasonNotReserved    xpv2.ConditionReason = "NotReserved"
)

// Reasons of a provider configuration's Ready condition.
const (
	ReasonProbeSucceeded   xpv2.ConditionReason = "ProbeSucceeded"
	ReasonSecretUnusable   xpv2.ConditionReason = "SecretUnusable"
	ReasonUnreachable      xpv2.ConditionReason = "Unreachable"
	ReasonUnauthorized     xpv2.ConditionReason = "Unauthorized"
	ReasonNoHostDatabase   xpv2.ConditionReason = "NoHostDatabase"
	ReasonUnexpectedAnswer xpv2.ConditionReason = "UnexpectedAnswer"
	ReasonNotSupported     xpv2.ConditionReason = "NotSupported"
	ReasonNotSaved         xpv2.ConditionReason = "MemoryHostsNotSaved"
	ReasonInvalid          xpv2.ConditionReason = "Invalid"
	ReasonNoPermission     xpv2.ConditionReason = "PermissionMissing"
)

// AnnotationKeyAdopt set to "true" on a KeaReservation takes over a host
// reservation that is marked as somebody else's.
const AnnotationKeyAdopt = Group + "/adopt"
