# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts in hack/ share: messages, the cache, a lock, building, an API server's
# credentials, and processes in the background. Sourced, never run. It keeps to what bash 3.2 has,
# for macOS.

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

# lock FILE: waits until no other process holds FILE. A symbolic link is made and carries the
# holder's pid in one atomic step, everywhere; flock is not on macOS.
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

# break_lock FILE: removes the lock of a holder that died. One process at a time looks again and
# removes, or a slow one could remove the lock that a fast one has just taken.
break_lock() {
  mkdir "$1.break" 2>/dev/null || { sleep 0.2; return 0; }
  alive "$(readlink "$1" || echo $$)" || rm -f "$1"
  rmdir "$1.break"
}

unlock() {
  [ -z "${LOCKED:-}" ] || rm -f "$LOCKED"
  LOCKED=
}

need_go() { command -v go >/dev/null || die "Go is not on the PATH: install it, it builds the programs"; }

# go_build FOLDER MODULE LDFLAGS PACKAGE...: builds the packages' programs, under the names that Go
# gives them, from the module in the folder MODULE. All in one go, so that nothing is compiled
# twice. The flags are those of `make build`, so that what Go has compiled for one program serves
# the others.
go_build() {
  local out=$1 module=$2 ldflags=$3
  shift 3
  mkdir -p "$out.tmp"
  if ! (cd "$module" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $ldflags" -o "$out.tmp/" "$@") 2>"$out.log"; then
    grep -v 'go: downloading' "$out.log" >&2 || true
    die "cannot build $*: see above"
  fi
  mkdir -p "$out"
  mv "$out.tmp"/* "$out/"
  rm -r "$out.tmp" "$out.log"
}

# make_credentials FOLDER NAMES URL: what an API server needs, and a kubeconfig of its administrator
# for URL. One self-signed pair for NAMES (separated by commas) serves TLS and signs service
# accounts' tokens. Go's own generator makes it, so that openssl is not needed.
make_credentials() {
  local token
  (cd "$1" && umask 077 &&
    CGO_ENABLED=0 go run -trimpath "$(go env GOROOT)/src/crypto/tls/generate_cert.go" --host "$2" --rsa-bits 2048 --ca 2>/dev/null) ||
    die "cannot make a certificate with Go's generate_cert.go"
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && echo "$token,admin,admin,system:masters" >"$1/tokens.csv")
  (umask 077 && cat >"$1/kubeconfig") <<C
apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: "$3", certificate-authority: "$1/cert.pem"}}]
users: [{name: admin, user: {token: "$token"}}]
contexts: [{name: local, context: {cluster: local, user: admin}}]
current-context: local
C
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
