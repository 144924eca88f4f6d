// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vitistack/provider-kea/internal/kea"
)

// places returns the stores that a command is for, memory first. Writes (doing is not empty) to a
// database that is not there fail, unless they are for memory too. A host cache without a database
// takes its place.
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
	database, err := s.databasePlace(doing)
	switch {
	case err != nil:
		return nil, err
	case len(database) == 0 && doing != "" && target == string(kea.TargetDatabase):
		//nolint:staticcheck // Kea ends it with a full stop.
		return nil, fmt.Errorf(textNoDatabase, doing)
	}
	return append(out, database...), nil
}

// databasePlace returns what a command for the database works on; empty if there is none.
func (s *Server) databasePlace(doing string) ([]*store, error) {
	d := &s.database
	switch {
	case d.of == nil && s.options.HostCache: // It takes the place of a database.
		return []*store{s.cache}, nil
	case d.of == nil:
		return nil, nil
	case d.breaking:
		d.breaking, d.lost = false, true
		return nil, errors.New(textConnectivity)
	case s.options.DatabaseReadOnly && doing != "":
		return nil, errors.New("PostgreSQL host database backend is configured to operate in read only mode")
	case d.lost:
		return nil, nil
	default:
		return []*store{&d.of.store}, nil
	}
}

const targetAll = "all"

// readFrom returns the hosts that fit, over the places of a read. A database that is not there
// reads as an empty one.
func (s *Server) readFrom(target string, fits func(kea.Reservation) bool) ([][]host, error) {
	places, err := s.places(target, targetAll, "")
	if err != nil {
		return nil, err
	}
	var out [][]host
	for _, p := range places {
		out = append(out, p.find(fits))
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
			return success("Host found.", s.options.hostObject(hosts[0]))
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
	places, err := s.places(target, targetAll, "")
	if err != nil {
		return failure("%s", err)
	}
	var found [][]host
	for _, p := range places {
		if p != s.cache { // The cache lists nothing.
			found = append(found, p.find(fits))
		}
	}
	list := []object{}
	for _, hosts := range found {
		for _, h := range hosts {
			list = append(list, s.options.hostObject(h))
		}
	}
	text := fmt.Sprintf("%d IPv4 host(s) found.", len(list))
	if len(list) == 0 {
		return empty(text, object{memberHosts: list})
	}
	return success(text, object{memberHosts: list})
}

// reservationGetPage moves to the next source when one has nothing left. It ignores
// operation-target.
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
		if places[source] == s.cache { // The cache lists nothing.
			continue
		}
		page := places[source].page(from, args.Limit, func(h host) bool {
			return args.SubnetID == nil || !h.dhcpv6 && h.SubnetID == *args.SubnetID
		})
		if len(page) > 0 {
			return s.options.hostPage(page, source)
		}
	}
	return noHosts
}

var noHosts = empty("0 IPv4 host(s) found.", object{memberHosts: []object{}, memberCount: 0})

// hostPage leaves out hosts without an IPv4 subnet after they were counted, as Kea does.
func (o *Options) hostPage(page []host, source int) answer {
	list := make([]object, 0, len(page))
	var last uint64
	for _, h := range page {
		if !h.dhcpv6 {
			list, last = append(list, o.hostObject(h)), h.id
		}
	}
	if len(list) == 0 {
		return noHosts
	}
	return success(fmt.Sprintf("%d IPv4 host(s) found.", len(list)), object{
		memberHosts: list, memberCount: len(list), "next": object{"from": last, "source-index": source},
	})
}
