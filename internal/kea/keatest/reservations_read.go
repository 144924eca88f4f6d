// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/vitistack/provider-kea/internal/kea"
)

// places gives the stores that a command is for, memory first. Writes to a database that is not there fail, unless they are for memory too.
func (s *Server) places(target string, byDefault kea.Target, doing string) ([]*store, error) {
	if target == "" || target == "default" {
		target = string(byDefault)
	}
	var out []*store
	switch target {
	case string(kea.TargetMemory), string(kea.TargetDatabase), targetAll:
	default:
		return nil, fmt.Errorf("The 'operation-target' value (%s) is not within expected set: (memory, database, all, default)", target)
	}
	if target != string(kea.TargetDatabase) {
		out = append(out, s.memory)
	}
	if target == string(kea.TargetMemory) {
		return out, nil
	}
	switch {
	case s.database.of != nil && s.database.breaking:
		s.database.breaking, s.database.lost = false, true
		return nil, errors.New(textConnectivity)
	case s.database.of != nil && !s.database.lost:
		out = append(out, &s.database.of.store)
	case doing != "" && target == string(kea.TargetDatabase):
		//nolint:staticcheck // Kea ends it with a full stop.
		return nil, fmt.Errorf(textNoDatabase, doing)
	}
	return out, nil
}

const targetAll = "all"

// readFrom gives the hosts that fit, over the places of a read. A database that is not there reads as an empty one.
func (s *Server) readFrom(target string, fits func(kea.Reservation) bool) ([][]host, error) {
	places, err := s.places(target, targetAll, "")
	if err != nil {
		return nil, err
	}
	var out [][]host
	for _, p := range places {
		out = append(out, p.find(0, math.MaxInt, fits))
	}
	return out, nil
}

func (s *Server) reservationGet(raw json.RawMessage) answer {
	args, fits, err := parseSelector(raw)
	switch {
	case err != nil:
		return failure("%s", err)
	case args.SubnetID == nil:
		return failure("missing parameter 'subnet-id'")
	}
	found, err := s.readFrom(args.Target, fits)
	if err != nil {
		return failure("%s", err)
	}
	for i, hosts := range found {
		inDatabase := i > 0 || args.Target == string(kea.TargetDatabase)
		switch {
		case len(hosts) > 1 && inDatabase:
			return failure("multiple records were found in the database where only one was expected for query get_host_subid_addr")
		case len(hosts) > 0:
			return success("Host found.", hostObject(hosts[0].Reservation))
		}
	}
	return empty("Host not found.", nil)
}

func (s *Server) reservationGetByAddress(raw json.RawMessage) answer {
	args, fits, err := parseSelector(raw)
	switch {
	case err != nil:
		return failure("%s", err)
	case args.SubnetID != nil && *args.SubnetID != 0 && s.subnetByID(*args.SubnetID) == nil:
		return failure("%s", errNoSubnet(*args.SubnetID))
	}
	return s.hostList(args.Target, fits)
}

func (s *Server) reservationGetByID(raw json.RawMessage) answer {
	args, fits, err := parseSelector(raw)
	if err != nil {
		return failure("%s", err)
	}
	return s.hostList(args.Target, fits)
}

// hostList answers with all hosts that fit.
func (s *Server) hostList(target string, fits func(kea.Reservation) bool) answer {
	found, err := s.readFrom(target, fits)
	if err != nil {
		return failure("%s", err)
	}
	list := []object{}
	for _, hosts := range found {
		for _, h := range hosts {
			list = append(list, hostObject(h.Reservation))
		}
	}
	text := fmt.Sprintf("%d IPv4 host(s) found.", len(list))
	if len(list) == 0 {
		return empty(text, object{memberHosts: list})
	}
	return success(text, object{memberHosts: list})
}

// reservationGetPage moves to the next source when one has nothing left. It ignores operation-target.
func (s *Server) reservationGetPage(raw json.RawMessage) answer {
	var args struct {
		Limit    int     `json:"limit"`
		From     uint64  `json:"from"`
		Source   int     `json:"source-index"`
		SubnetID *uint32 `json:"subnet-id"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return failure("bad arguments: %v", err)
	}
	if args.Limit <= 0 {
		return failure("page size of retrieved hosts must not be 0")
	}
	if args.SubnetID != nil && *args.SubnetID != 0 && s.subnetByID(*args.SubnetID) == nil {
		return failure("%s", errNoSubnet(*args.SubnetID))
	}
	places, err := s.places(targetAll, targetAll, "")
	if err != nil {
		return failure("%s", err)
	}
	for source, from := args.Source, args.From; source < len(places); source, from = source+1, 0 {
		page := places[source].find(from, args.Limit, func(r kea.Reservation) bool {
			return args.SubnetID == nil || r.SubnetID == *args.SubnetID
		})
		if len(page) > 0 {
			return hostPage(page, source)
		}
	}
	return empty("0 IPv4 host(s) found.", object{memberHosts: []object{}, memberCount: 0})
}

func hostPage(page []host, source int) answer {
	list := make([]object, 0, len(page))
	for _, h := range page {
		list = append(list, hostObject(h.Reservation))
	}
	return success(fmt.Sprintf("%d IPv4 host(s) found.", len(list)), object{
		memberHosts: list, memberCount: len(list), "next": object{"from": page[len(page)-1].id, "source-index": source},
	})
}
