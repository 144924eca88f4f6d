# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What hack/kubernetes and hack/kea share: messages, the cache, a lock, and processes in the
# background. Sourced, never run. It keeps to what bash 3.2 has, for macOS.

# absolute PATH
absolute() {
  case $1 in
    /*) echo "$1" ;;
    *) echo "$PWD/$1" ;;
  esac
}

CACHE=$(absolute "${PROVIDER_KEA_CACHE:-${XDG_CACHE_HOME:-${HOME:?neither PROVIDER_KEA_CACHE nor HOME is set}/.cache}/provider-kea}")
STATE_DIR=$(absolute "${STATE_DIR:-$CACHE/run}")
ME=hack/$(basename "$0")

# Only results go to stdout: everything said to a person goes to stderr.
say() { echo "$ME: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# usage prints the comment at the top of the script.
usage() {
  sed -n '4,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# alive PID: /proc is asked too, since kill may not signal another user's process.
alive() { kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; }

# lock FILE: waits until no other process holds FILE. A symbolic link is made and carries the holder's
# pid in one atomic step, everywhere; flock is not on macOS.
lock() {
  local holder waited=
  mkdir -p "$(dirname "$1")"
  until ln -s "$$" "$1" 2>/dev/null; do
    holder=$(readlink "$1" || true)
    [ -n "$holder" ] || continue
    alive "$holder" || { break_lock "$1"; continue; }
    [ -n "$waited" ] || say "waiting for process $holder, which is at the same work"
    waited=yes
    sleep 0.2
  done
  LOCKED=$1
  trap unlock EXIT
}

# break_lock FILE: removes the lock of a holder that died. One process at a time looks again and removes,
# or a slow one could remove the lock that a fast one has just taken.
break_lock() {
  mkdir "$1.break" 2>/dev/null || { sleep 0.2; return 0; }
  alive "$(readlink "$1" || echo $$)" || rm -f "$1"
  rmdir "$1.break"
}

unlock() {
  [ -z "${LOCKED:-}" ] || rm -f "$LOCKED"
  LOCKED=
}

# free_port WANTED: prints WANTED where nothing listens there, else some free port.
free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    port=$((20000 + RANDOM % 12000))
  done
  echo "$port"
}

# start DIR NAME COMMAND...: runs COMMAND in the background; its pid and log are in DIR.
start() {
  local dir=$1 name=$2
  shift 2
  nohup "$@" >"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

# running DIR NAME
running() { [ -f "$1/$2.pid" ] && alive "$(cat "$1/$2.pid")"; }

# stop DIR NAME: asks it to end, and makes it end after ten seconds.
stop() {
  local pid
  [ -f "$1/$2.pid" ] || return 0
  pid=$(cat "$1/$2.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    alive "$pid" || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$1/$2.pid"
}

# await SECONDS DIR NAME COMMAND...: until COMMAND succeeds. Gives up early when NAME has died.
await() {
  local limit=$1 dir=$2 name=$3
  shift 3
  for _ in $(seq "$((limit * 5))"); do
    "$@" >/dev/null 2>&1 && return 0
    running "$dir" "$name" || break
    sleep 0.2
  done
  tail -n 20 "$dir/$name.log" >&2
  die "$name did not get ready in ${limit}s; its whole log is $dir/$name.log"
}
