// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/kea"
)

// orphansCommand lists orphans.
type orphansCommand struct {
	ProviderConfig string `placeholder:"KIND/[NAMESPACE/]NAME" help:"Provider configuration to look at: ClusterProviderConfig/name or ProviderConfig/namespace/name. All of them by default."`

	Network networkFlags `embed:""`
}

// Run prints a table of the orphans.
func (c *orphansCommand) Run(ctx context.Context) error {
	ctrl.SetLogger(klog.NewKlogr())
	only, err := c.ref()
	if err != nil {
		return err
	}
	network, err := c.Network.parse()
	if err != nil {
		return err
	}
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("cannot find a cluster, set KUBECONFIG or run in one: %w", err)
	}
	s, err := newScheme()
	if err != nil {
		return err
	}
	reader, err := client.New(cfg, client.Options{Scheme: s})
	if err != nil {
		return fmt.Errorf("cannot make a client of the API server: %w", err)
	}
	orphans, err := providerconfig.OrphanLister{Reader: reader, Network: network}.List(ctx, only)
	if len(orphans) == 0 && err == nil {
		_, err = fmt.Fprintln(os.Stderr, "No orphans found.")
		return err //nolint:wrapcheck // It names stderr.
	}
	return errors.Join(printOrphans(os.Stdout, orphans), err)
}

// ref returns the provider configuration to look at; the zero Ref for all.
func (c *orphansCommand) ref() (connection.Ref, error) {
	if c.ProviderConfig == "" {
		return connection.Ref{}, nil
	}
	kind, name, _ := strings.Cut(c.ProviderConfig, "/")
	namespace := ""
	if kind == v1alpha1.ProviderConfigKind {
		namespace, name, _ = strings.Cut(name, "/")
	}
	ref, err := connection.ParseRef(kind + "/" + name)
	if err != nil || (kind == v1alpha1.ProviderConfigKind && namespace == "") {
		return connection.Ref{}, fmt.Errorf("cannot use --provider-config %q: write ClusterProviderConfig/<name> or ProviderConfig/<namespace>/<name>", c.ProviderConfig)
	}
	return ref.In(namespace), nil
}

// printOrphans prints a table, a line for each reservation in Kea.
func printOrphans(to io.Writer, orphans []providerconfig.Orphan) error {
	w := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	_, err := fmt.Fprintln(w, "PROVIDER-CONFIG\tNAMESPACE/NAME\tHW-ADDRESS\tADDRESS\tSUBNET-ID\tSERVER\tSTORE")
	for _, o := range orphans {
		address := "-"
		if o.Host.IPAddress.IsValid() {
			address = o.Host.IPAddress.String()
		}
		// A mark is text that anyone who may write to Kea can set.
		resource := kea.Printable(o.Resource, maxResource)
		_, rowErr := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			configName(o.Config), resource, o.Host.HWAddress, address, o.Host.SubnetID, o.Store.Server, o.Store.Place)
		err = errors.Join(err, rowErr)
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return fmt.Errorf("cannot print the orphans: %w", err)
	}
	return nil
}

// maxResource is the length of the longest namespace and name, with the slash.
const maxResource = 63 + 1 + 253

// configName returns a provider configuration as --provider-config has it.
func configName(ref connection.Ref) string {
	if ref.Namespace == "" {
		return ref.Kind + "/" + ref.Name
	}
	return ref.Kind + "/" + ref.Namespace + "/" + ref.Name
}
