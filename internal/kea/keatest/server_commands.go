// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

func (s *Server) listCommands(json.RawMessage) answer {
	var names []string
	for name, c := range commands() {
		if s.options.loads(c.hook) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return success("", names)
}

func (s *Server) versionGet(json.RawMessage) answer {
	extended := Version + " (keatest)\nlease backends:\n- Memfile backend 3.0"
	if s.database.of != nil || s.options.HostBackend {
		extended += "\nhost backends:\n- PostgreSQL backend 29.0"
	}
	return success(Version, object{"extended": extended})
}

func (s *Server) statusGet(json.RawMessage) answer {
	seconds := func(since time.Time) int64 { return int64(s.options.Now().Sub(since) / time.Second) }
	args := object{"pid": s.pid, "uptime": seconds(s.started), "reload": seconds(s.loaded)}
	if len(s.ha) > 0 {
		list := make([]object, 0, len(s.ha))
		for _, h := range s.ha {
			list = append(list, haStatus(h))
		}
		args["high-availability"] = list
	}
	return success("", args)
}

func haStatus(h kea.HAStatus) object {
	servers := object{"local": object{"server-name": h.ServerName, "role": h.Role, "state": h.State}}
	if h.PeerName != "" || h.PeerState != "" {
		servers["remote"] = object{
			"server-name": h.PeerName, "last-state": h.PeerState, "communication-interrupted": h.PeerInterrupted, "in-touch": !h.PeerInterrupted,
		}
	}
	return object{"ha-mode": h.Mode, "ha-servers": servers}
}

func (s *Server) cacheSize(json.RawMessage) answer {
	n := len(s.cache.find(func(kea.Reservation) bool { return true }))
	return success(fmt.Sprintf("%d entries.", n), object{"size": n})
}

func (s *Server) configReload(json.RawMessage) answer {
	s.reload()
	return success("Configuration successful.", nil)
}

// configWrite keeps the hosts in memory over a restart, without what config-get does not return:
// the content of opaque options.
func (s *Server) configWrite(json.RawMessage) answer {
	s.persisted = s.memory.clone()
	for _, h := range s.persisted.hosts {
		for i, d := range h.OptionData {
			if def, _ := s.options.definition(d); def.Type == typeEmpty {
				h.OptionData[i].Data = ""
			}
		}
	}
	return success("Configuration written to kea-dhcp4.json successful", object{"filename": "kea-dhcp4.json", "size": 1})
}
