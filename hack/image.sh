# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Container images without Docker. Sourced, never run.

# digest FILE: macOS has no sha256sum.
digest() { (sha256sum "$1" 2>/dev/null || shasum -a 256 "$1") | cut -d' ' -f1; }

# save_image FILE REF ENTRYPOINT FOLDER ARCHITECTURE: writes to FILE an image that holds nothing but
# what is in FOLDER, in the form that `docker save` has: a layer, and a configuration that names it
# by its digest. Everybody may read the files, as the image runs as a user of its own.
save_image() {
  local work
  work=$(mktemp -d)
  chmod -R a+rX "$4"
  tar -C "$4" -cf "$work/layer.tar" .
  cat >"$work/config.json" <<C
{
  "os": "linux", "architecture": "$5",
  "config": {"User": "65532:65532", "Entrypoint": ["$3"]},
  "rootfs": {"type": "layers", "diff_ids": ["sha256:$(digest "$work/layer.tar")"]}
}
C
  echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"$2\"], \"Layers\": [\"layer.tar\"]}]" >"$work/manifest.json"
  tar -C "$work" -cf "$1" manifest.json config.json layer.tar
  rm -r "$work"
}
