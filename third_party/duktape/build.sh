#!/usr/bin/env bash
# Builds Duktape as a static library from Debian's single-file source (duktape-dev) and prints where it is.
#   build.sh CACHE_DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR/..
source "$here/../engine.sh"
[ $# -eq 1 ] || engine_die "usage: duktape/build.sh CACHE_DIR"

source_dir=/usr/share/duktape
[ -e "$source_dir/duktape.c" ] || engine_die "$source_dir/duktape.c is missing: install the package duktape-dev (./dev deps does)"

build() {
  local work=$1 out=$2 patch
  mkdir -p "$out/include" "$out/lib"
  cp "$source_dir"/{duktape.c,duktape.h,duk_config.h} "$work/"
  for patch in "$here"/*.patch; do
    [ -e "$patch" ] || continue
    patch -d "$work" -p1 --fuzz=0 <"$patch"
  done
  # Duktape's own place for overriding its options.
  sed -i 's|^/\* __OVERRIDE_DEFINES__ \*/$|#include "lingate_duk_config.h"|' "$work/duk_config.h"
  grep -q '^#include "lingate_duk_config.h"' "$work/duk_config.h"
  cp "$here"/lingate_duk_*.h "$work/"
  (cd "$work" && "${CC:-gcc}" -std=c99 -O2 -g1 -fPIC -fno-omit-frame-pointer -w -c duktape.c -o duktape.o)
  ar rcs "$out/lib/libduktape.a" "$work/duktape.o"
  cp "$work"/*.h "$out/include/"
  sed -n 's/^#define DUK_VERSION  *\([0-9]*\)L.*/\1/p' "$work/duktape.h" >"$out/VERSION"
}

engine_publish duktape "$1" \
  "$(engine_toolchain; sha256sum <$source_dir/duktape.c; sha256sum <$source_dir/duk_config.h; cat "$here"/build.sh "$here"/*.h; cat "$here"/*.patch 2>/dev/null || true)" \
  build
