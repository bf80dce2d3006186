#!/usr/bin/env bash
# Builds LuaJIT as a static library from Debian's own source package and prints where it is.
#   build.sh CACHE_DIR
# The source comes through apt, which verifies Debian's signature; the deb-src list and apt's state for it are private
# to this script, so the machine's own lists stay as they are.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR/..
source "$here/../engine.sh"
[ $# -eq 1 ] || engine_die "usage: luajit/build.sh CACHE_DIR"

suite=bookworm
defines="-DLUAJIT_ENABLE_CHECKHOOK -DLUAJIT_ENABLE_GC64 -DLUAJIT_ENABLE_LUA52COMPAT"

# fetch_from MIRROR WORK
fetch_from() {
  local mirror=$1 apt=$2/apt
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources.d"
  printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$mirror" "$suite" /usr/share/keyrings/debian-archive-keyring.gpg >"$apt/sources.d/source.sources"
  local options=(-q -o Dir::Etc::sourcelist="$apt/none" -o Dir::Etc::sourceparts="$apt/sources.d"
    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=
    -o APT::Update::Post-Invoke-Success::=true -o APT::Update::Error-Mode=any -o Acquire::Retries=3)
  apt-get "${options[@]}" update && (cd "$2" && apt-get "${options[@]}" source --download-only luajit)
}

# The machine's own mirror of Debian, if it has one, is known to be reachable; but it may be without sources.
fetch() {
  local mirrors mirror
  mirrors=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 'Origin: Debian' | sort -u)
  for mirror in $mirrors http://deb.debian.org/debian; do
    if fetch_from "$mirror" "$1"; then
      (cd "$1" && dpkg-source --no-check -x luajit_*.dsc source)
      return
    fi
  done
  echo "no mirror gave the source of luajit: are this machine's network and proxy settings in order?"
  return 1
}

build() {
  local work=$1 out=$2 patch
  fetch "$work"
  for patch in "$here"/*.patch; do
    [ -e "$patch" ] || continue
    patch -d "$work/source" -p1 --fuzz=0 <"$patch"
  done
  make -C "$work/source/src" -j"$(nproc)" BUILDMODE=static CC="${CC:-gcc}" XCFLAGS="$defines" TARGET_CFLAGS=-fPIC \
    libluajit.a luajit
  mkdir -p "$out/include" "$out/lib" "$out/bin" "$out/share/jit"
  cp "$work"/source/src/{lua.h,lauxlib.h,lualib.h,luaconf.h,luajit.h} "$out/include/"
  cp "$work/source/src/libluajit.a" "$out/lib/"
  cp "$work/source/src/luajit" "$out/bin/"
  cp "$work"/source/src/jit/*.lua "$out/share/jit/"
  (cd "$work" && basename luajit_*.dsc .dsc | sed 's/^luajit_//') >"$out/VERSION"
}

engine_publish luajit "$1" "$(engine_toolchain; cat "$here"/build.sh; cat "$here"/*.patch 2>/dev/null || true)" build
