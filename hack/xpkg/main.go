// SPDX-License-Identifier: Apache-2.0

// Command xpkg makes the Crossplane package of provider-kea out of the programs
// in _output/xpkg, without Docker, and pushes it. The Makefile runs it.
//
//	xpkg build TREE VERSION REVISION   make the packages and their index in TREE/_output/xpkg
//	xpkg push TREE REF                 push what was made, and print REF with its digest
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "xpkg:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	switch {
	case len(args) == 4 && args[0] == "build":
		return build(ctx, out, args[1], labels(args[2], args[3]))
	case len(args) == 3 && args[0] == "push":
		ref, err := push(ctx, layoutIn(outputIn(args[1])), args[2])
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, ref)
		return err
	}
	return errors.New("usage: xpkg build TREE VERSION REVISION, or xpkg push TREE REF")
}

func outputIn(tree string) string   { return filepath.Join(tree, "_output", "xpkg") }
func layoutIn(output string) string { return filepath.Join(output, "index") }

// labels are those of the OCI image specification that say what an image is, and
// what of. There is none with a time: what is the same has the same digest.
func labels(version, revision string) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "provider-kea",
		"org.opencontainers.image.description": "A Crossplane provider for DHCPv4 host reservations in ISC Kea",
		"org.opencontainers.image.source":      "https://github.com/vitistack/provider-kea",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     version,
		"org.opencontainers.image.revision":    revision,
	}
}
