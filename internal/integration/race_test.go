// SPDX-License-Identifier: Apache-2.0

//go:build race

package integration

var raceFlags = []string{"-race"}
