// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// A verb is what a step does.
type verb struct {
	args int
	fate bool // it is fate's, and does not wait for what users do
	do   func(w *world, args []string) error
}

var verbs map[string]verb

func init() { //nolint:gochecknoinits // A step is parsed by its verb, and verbs do steps.
	verbs = map[string]verb{
		"machine":   {2, false, (*world).createMachine},
		"devices":   {2, false, (*world).setDevices},
		"move":      {2, false, (*world).move},
		"reserve":   {4, false, (*world).createReservation},
		"readdress": {2, false, (*world).setAddress},
		"hostname":  {2, false, (*world).setHostname},
		"delete":    {1, false, (*world).deleteObject},
		"lease":     {1, false, (*world).lease},
		"remove":    {2, false, onHeld(remove)},
		"rename":    {2, false, onHeld(rename)},
		"kill":      {1, true, onTarget(kill)},
		"start":     {1, true, onTarget(target.start)},
		"freeze":    {1, true, onFreezer(freezer.freeze)},
		"thaw":      {1, true, onFreezer(freezer.thaw)},
		"cut":       {1, true, onLink((*link).cut)},
		"sever":     {1, true, onLink((*link).sever)},
		"mend":      {1, true, onLink((*link).mend)},
	}
}

// do does a step.
func (w *world) do(s step) error {
	v := verbs[s.verb]
	if len(s.args) != v.args {
		return fmt.Errorf("%s: it has %d arguments and not %d", s, len(s.args), v.args)
	}
	if err := v.do(w, s.args); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return nil
}

func onTarget(do func(target) error) func(*world, []string) error {
	return func(w *world, args []string) error {
		t, found := w.targets[args[0]]
		if !found {
			return fmt.Errorf("cannot find %s", args[0])
		}
		return do(t)
	}
}

func kill(t target) error { t.kill(); return nil }

func onFreezer(do func(freezer)) func(*world, []string) error {
	return onTarget(func(t target) error {
		f, ok := t.(freezer)
		if !ok {
			return errors.New("cannot freeze it")
		}
		do(f)
		return nil
	})
}

func onLink(do func(*link)) func(*world, []string) error {
	return func(w *world, args []string) error {
		l, found := w.links[args[0]]
		if !found {
			return fmt.Errorf("cannot find a connection %s", args[0])
		}
		do(l)
		return nil
	}
}

// onHeld is for KEA DEVICE: another administrator does something to what a Kea has of a device.
func onHeld(do func(ctx context.Context, s *server, hw kea.HWAddress)) func(*world, []string) error {
	return func(w *world, args []string) error {
		s, err := w.find(args[0])
		if err != nil {
			return err
		}
		device, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(w.t.Context(), aMoment)
		defer cancel()
		do(ctx, s, kea.HWAddress(macOf(device)))
		return nil
	}
}

// aMoment is how long others wait for an answer of Kea, which may be away.
const aMoment = time.Second

// lease DEVICE: a device obtains a lease, by every Kea that is there. It asks the others until they
// are there: see settleLeases.
func (w *world) lease(args []string) error {
	device, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	w.fleet.leased[device] = true
	for _, s := range w.keas {
		_ = s.lease(w.t.Context(), device)
	}
	return nil
}

// remove removes what a Kea has of a device, if it is there.
func remove(ctx context.Context, s *server, hw kea.HWAddress) {
	_ = s.at.DeleteReservation(ctx, s.store, 1, hw)
}

// rename changes the hostname of what a Kea has of a device, if it is there.
func rename(ctx context.Context, s *server, hw kea.HWAddress) {
	r, err := s.at.Reservation(ctx, s.store, 1, hw)
	if err != nil {
		return
	}
	r.Hostname = "renamed"
	_ = s.at.UpdateReservation(ctx, s.store, r)
}

// lease adds a device's lease, unless there is one.
func (s *server) lease(ctx context.Context, device int) error {
	ip := addressOf(device).String()
	result, err := s.command(ctx, "lease4-get", map[string]any{"ip-address": ip})
	if err != nil || result == 0 {
		return err
	}
	result, err = s.command(ctx, "lease4-add", map[string]any{"ip-address": ip, "hw-address": macOf(device), "subnet-id": 1, "valid-lft": 86400})
	if err == nil && result != 0 {
		err = fmt.Errorf("cannot add a lease: lease4-add: result %d", result)
	}
	return err
}

// release takes a device's lease away.
func (s *server) release(ctx context.Context, device int) error {
	result, err := s.command(ctx, "lease4-del", map[string]any{"ip-address": addressOf(device).String()})
	if err == nil && result != 0 && result != 3 { // 3 is that there is none.
		err = fmt.Errorf("cannot delete a lease: lease4-del: result %d", result)
	}
	return err
}

// settleLeases has every Kea know the lease of each device that has one.
func (w *world) settleLeases(ctx context.Context) error {
	for device := range w.fleet.leased {
		for _, s := range w.keas {
			if err := s.lease(ctx, device); err != nil {
				return fmt.Errorf("cannot lease %s on %s: %w", addressOf(device), s.name, err)
			}
		}
	}
	return nil
}

// command sends Kea a command that the client does not have.
func (s *server) command(ctx context.Context, name string, arguments map[string]any) (result int, err error) {
	ctx, cancel := context.WithTimeout(ctx, aMoment)
	defer cancel()
	body, err := json.Marshal(map[string]any{"command": name, "service": []string{"dhcp4"}, "arguments": arguments})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true // An idle connection would keep Kea busy when it stops.
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answers []struct {
		Result int `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil {
		return 0, err
	}
	if len(answers) != 1 {
		return 0, errors.New("cannot read Kea's answer: it has not answered once")
	}
	return answers[0].Result, nil
}
