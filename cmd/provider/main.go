// SPDX-License-Identifier: Apache-2.0

// Command provider runs provider-kea: the controllers that make DHCPv4 host
// reservations in ISC Kea managed resources.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set when a release is built.
var version = "dev"

type cli struct {
	Start   startCommand   `cmd:"" default:"withargs" help:"Run the controllers (the default)."`
	Orphans orphansCommand `cmd:"" help:"List reservations in Kea that are marked as those of KeaReservations which do not exist, and end. Nothing is changed."`
	Version versionCommand `cmd:"" help:"Print the version and end."`
}

type versionCommand struct{}

// Run prints the version, and of what it was built.
func (versionCommand) Run() error {
	info, _ := debug.ReadBuildInfo()
	goVersion := ""
	if info != nil {
		goVersion = " " + info.GoVersion
	}
	_, err := fmt.Fprintf(os.Stdout, "provider-kea %s%s\n", version, goVersion)
	return err
}

func main() {
	ctx := kong.Parse(&cli{},
		kong.Name("provider"),
		kong.Description("A Crossplane provider that makes DHCPv4 host reservations in ISC Kea managed resources."),
		kong.UsageOnError(),
		kong.BindToProvider(ctrl.SetupSignalHandler),
	)
	ctx.FatalIfErrorf(ctx.Run())
}
