// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
)

// errRefused is returned if Kea answers with another result than success.
var errRefused = errors.New("Kea refuses it")

// notThere is Kea's result where there is nothing.
const notThere = 3

type object = map[string]any

type keaAnswer struct {
	Result    int             `json:"result"`
	Text      string          `json:"text"`
	Arguments json.RawMessage `json:"arguments"`
}

// keaClient keeps as many connections to a Kea as it has callers.
type keaClient struct {
	url  string
	http *http.Client
}

func newKeaClient(url string) *keaClient {
	return &keaClient{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * workers}}}
}

func (c *keaClient) ask(ctx context.Context, command string, arguments any) (keaAnswer, error) {
	body, err := json.Marshal(object{"command": command, "service": []string{"dhcp4"}, "arguments": arguments})
	if err != nil {
		return keaAnswer{}, fmt.Errorf("cannot write %s as JSON: %w", command, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return keaAnswer{}, fmt.Errorf("cannot send %s: %w", command, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return keaAnswer{}, fmt.Errorf("cannot send %s: %w", command, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answers []keaAnswer
	if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil {
		return keaAnswer{}, fmt.Errorf("cannot read the answer to %s: %w", command, err)
	}
	if len(answers) != 1 {
		return keaAnswer{}, fmt.Errorf("%s has %d answers", command, len(answers))
	}
	return answers[0], nil
}

func (c *keaClient) do(ctx context.Context, command string, arguments any) error {
	a, err := c.ask(ctx, command, arguments)
	if err == nil && a.Result != 0 {
		err = fmt.Errorf("%w: %s: %s", errRefused, command, a.Text)
	}
	return err
}

// lease gives machine i its lease.
func (c *keaClient) lease(ctx context.Context, i int) error {
	return c.do(ctx, "lease4-add", object{"ip-address": addressOf(i), "hw-address": macOf(i), "subnet-id": 1, "valid-lft": 86400})
}

// host names machine i's reservation.
func host(i int) object {
	return object{"subnet-id": 1, "identifier-type": "hw-address", "identifier": macOf(i), "operation-target": "memory"}
}

// has reports whether Kea has machine i's reservation.
func (c *keaClient) has(ctx context.Context, i int) (bool, error) {
	a, err := c.ask(ctx, "reservation-get", host(i))
	return err == nil && a.Result == 0, err
}

// hostCounter counts Kea's reservations: each call reads only those that came since the last one.
type hostCounter struct {
	client *keaClient
	next   object
	count  int
}

func (h *hostCounter) read(ctx context.Context) (int, error) {
	for {
		arguments := object{"limit": 1000}
		maps.Copy(arguments, h.next)
		a, err := h.client.ask(ctx, "reservation-get-page", arguments)
		if err != nil || a.Result == notThere {
			return h.count, err
		}
		var page struct {
			Count int
			Next  object
		}
		if err := json.Unmarshal(a.Arguments, &page); err != nil {
			return h.count, fmt.Errorf("cannot read a page of reservations: %w", err)
		}
		h.count += page.Count
		h.next = object{"from": page.Next["from"], "source-index": page.Next["source-index"]}
	}
}
