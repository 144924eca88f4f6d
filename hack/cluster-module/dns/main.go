// SPDX-License-Identifier: Apache-2.0

// Command dns is CoreDNS with the two plugins that a test cluster needs.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"     // Logs what fails.
	_ "github.com/coredns/coredns/plugin/kubernetes" // Answers for the names of Services.
)

func main() {
	dnsserver.Directives = []string{"errors", "kubernetes"}
	coremain.Run()
}
