// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
)

// played is what the tests play to be known about places.
type played struct {
	opened sync.Map // of subnets in 10.99.0.0/16 that Kea has got
	marked sync.Map // of hardware addresses, the KeaReservation that Kea's is marked with
}

// places has no subnet in 10.99.0.0/16 that was not opened, and no provider
// configuration named missing.
func (p *played) places(context.Context) places {
	return places{
		works: func(at *place, _ string) error {
			_, opened := p.opened.Load(at.subnet)
			switch {
			case at.config.Name == "missing":
				return errors.New(at.config.String() + " does not exist")
			case strings.HasPrefix(at.subnet, "10.99.") && !opened:
				return errors.New("no server has subnet " + at.subnet)
			}
			return nil
		},
		owner: func(_ *place, mac kea.HWAddress) string {
			owner, _ := p.marked.Load(mac)
			text, _ := owner.(string)
			return text
		},
		confirms: func(connection.Ref) bool { return false },
	}
}
