# shellcheck shell=bash
# Sourced by the engines' build.sh. An engine is built once for each recipe: the directory's name carries a hash of all
# that decides the result, a lock lets one of several simultaneous builds do the work, and a finished directory appears
# by one rename, so whoever finds it can use it.
#
#   engine_publish NAME CACHE KEY_TEXT BUILD_FUNCTION      prints the directory; BUILD_FUNCTION gets the one to fill

engine_die() {
  echo "engine: $*" >&2
  exit 1
}

engine_publish() {
  local name=$1 cache=$2 key_text=$3 build=$4 key final staging status
  key=$(printf '%s' "$key_text" | sha256sum | cut -c1-16)
  final=$cache/$name-$key
  if [ ! -d "$final" ]; then
    mkdir -p "$cache"
    exec 9>"$cache/.$name.lock"
    flock 9
    if [ ! -d "$final" ]; then
      staging=$(mktemp -d "$cache/.$name.XXXXXX")
      # shellcheck disable=SC2064 # the path of this build, not of a later one
      trap "rm -rf '$staging'" EXIT
      echo "building $name once into $final" >&2
      mkdir "$staging/work" "$staging/out"
      # Not as part of a condition: that would switch set -e off inside.
      set +e
      (set -e; "$build" "$staging/work" "$staging/out") >"$staging/log" 2>&1 9>&-
      status=$?
      set -e
      if [ $status -ne 0 ]; then
        tail -n 40 "$staging/log" >&2
        cp "$staging/log" "$cache/$name.failed.log"
        engine_die "building $name failed; the whole log is $cache/$name.failed.log"
      fi
      mv "$staging/out" "$final"
      rm -rf "$staging" "$cache/$name.failed.log"
      trap - EXIT
    fi
    exec 9>&-
  fi
  echo "$final"
}

# What every engine's result depends on, besides its own recipe.
engine_toolchain() {
  "${CC:-gcc}" --version | head -n 1
  uname -m
  sha256sum <"${BASH_SOURCE[0]}"
}
