// SPDX-License-Identifier: Apache-2.0

// Command function-patch-and-transform stands in for the composition function of
// that name where the real one cannot be had: it is not published as a Go module,
// and tests pull no images. It understands as much of the input
// pt.fn.crossplane.io/v1beta1 Resources as examples/composition uses, does with it
// what the real function does, and refuses everything else.
//
// It is for tests alone. Use the real function:
// https://github.com/crossplane-contrib/function-patch-and-transform
package main

import (
	"fmt"

	"github.com/alecthomas/kong"
	"github.com/crossplane/function-sdk-go"
)

// command has the flags that Crossplane and other functions know.
type command struct {
	Debug       bool   `help:"Log more." short:"d"`
	Network     string `default:"tcp" help:"Network to listen on."`
	Address     string `default:":9443" help:"Address to listen on."`
	TLSCertsDir string `env:"TLS_SERVER_CERTS_DIR" help:"Folder of tls.key, tls.crt and the clients' ca.crt."`
	Insecure    bool   `help:"Serve without TLS."`
}

// Run the function until it is told to stop.
func (c *command) Run() error {
	log, err := function.NewLogger(c.Debug)
	if err != nil {
		return fmt.Errorf("cannot make a logger: %w", err)
	}
	return function.Serve(&fn{log: log},
		function.WithMetricsServer(""), // None: its port may be another program's.
		function.Listen(c.Network, c.Address),
		function.MTLSCertificates(c.TLSCertsDir),
		function.Insecure(c.Insecure))
}

func main() {
	ctx := kong.Parse(&command{}, kong.Description("A stand-in for function-patch-and-transform, for tests."))
	ctx.FatalIfErrorf(ctx.Run())
}
