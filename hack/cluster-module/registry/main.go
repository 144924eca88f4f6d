// SPDX-License-Identifier: Apache-2.0

// Command registry serves a registry of container images without TLS, for a
// cluster that is thrown away.
//
//	registry HOST:PORT FOLDER    FOLDER holds the images' layers
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: registry HOST:PORT FOLDER")
		os.Exit(2)
	}
	server := &http.Server{
		Addr:              os.Args[1],
		Handler:           registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(os.Args[2]))),
		ReadHeaderTimeout: 10 * time.Second,
	}
	fmt.Fprintln(os.Stderr, "registry:", server.ListenAndServe())
	os.Exit(1)
}
