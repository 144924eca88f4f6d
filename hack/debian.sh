# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Programs from Debian's packages, unpacked into the cache without root and without installing them.
# Sourced after common.sh, never run.

is_debian() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && grep -qsx 'ID=debian' /etc/os-release
}

# own_apt runs apt-get on lists and folders of its own, so that it needs no root and leaves the
# machine's alone. The empty status file says that nothing is installed: `install` then brings every
# library along, in the release's version.
own_apt() {
  (cd "$WORK/archives" &&
    apt-get -q -o Dir::Etc::sourcelist="$WORK/sources.list" -o Dir::Etc::sourceparts=- \
      -o Dir::State="$WORK/state" -o Dir::State::lists="$WORK/lists" -o Dir::State::status="$WORK/status" \
      -o Dir::Cache="$WORK/cache" -o Dir::Cache::archives="$WORK/archives" -o Dir::Log="$WORK" \
      -o APT::Sandbox::User= -o Acquire::Languages=none "$@") >>"$WORK/log" 2>&1
}

# mirrors prints the mirrors that this machine's apt is set up with. `update --print-uris` lists
# them in either format of its sources, and before any `apt-get update`.
mirrors() {
  apt-get update --print-uris -o Dir::State::lists="$WORK/none" 2>>"$WORK/log" |
    sed -n "s#^'\(.*/\)dists/[^/']*/.*#\1#p" | grep -v -- -security | awk '!seen[$0]++'
}

# use_mirror MIRROR SUITE...: reads the suites' lists of packages.
use_mirror() {
  local mirror=$1 suite
  shift
  for suite in "$@"; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
  done >"$WORK/sources.list"
  own_apt update -o APT::Update::Error-Mode=any
}

# unpack_packages FOLDER "SUITE..." COMMAND...: gets packages of the suites with apt-get's COMMAND,
# as in `download NAME` or `install -y --download-only NAME`, and unpacks them into FOLDER. Returns
# an error, after saying what is wrong, where that is not possible.
unpack_packages() {
  local folder=$1 suites=$2 mirror found deb
  shift 2
  WORK=$folder.work
  rm -rf "$WORK" "$folder"
  mkdir -p "$WORK"/{lists,none,archives,state,cache}/partial "$WORK/root"
  : >"$WORK/status"
  for mirror in $(mirrors); do
    # shellcheck disable=SC2086 # Several suites are several words.
    use_mirror "$mirror" $suites && found=yes && break
  done
  [ -n "${found:-}" ] || { say "no mirror of this machine's apt has Debian $suites; see $WORK/log"; return 1; }
  own_apt "$@" || { say "cannot download Debian's packages; see $WORK/log"; return 1; }
  for deb in "$WORK"/archives/*.deb; do
    dpkg-deb -x "$deb" "$WORK/root" || { say "cannot unpack $deb"; return 1; }
  done
  mv "$WORK/root" "$folder"
  rm -rf "$WORK"
}

# wrap FOLDER PROGRAM [LIBRARIES]: replaces an unpacked program by a script that runs it through the
# loader of its own release, whose C library may be newer than the machine's. In place, because a
# program may look for its files from where it believes itself to be.
wrap() {
  local loader
  loader=$(echo "$1"/usr/lib/*-linux-*/ld-linux-*.so.*)
  mv "$2" "$2.real"
  cat >"$2" <<W
#!/bin/sh
exec "$loader" --argv0 "$2" --library-path "${loader%/*}${3:+:$3}" "$2.real" "\$@"
W
  chmod +x "$2"
}
