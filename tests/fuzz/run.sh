#!/usr/bin/env bash
# Runs fuzz targets: builds them with clang into a folder of their own and lets each search for a while.
#
#   run.sh build [fuzz_TARGET...]      build all targets, or those
#   run.sh TARGET [SECONDS]            search (default 60 s) from the seeds and from what earlier runs have found
#   run.sh all [SECONDS]               each target in turn (default 60 s)
#   run.sh repeatable                  each target in turn for some seconds, the same inputs each time: what `./dev test`
#                                      finds depends on the sources alone
#   run.sh replay TARGET FILE...       run a target on given inputs
#   run.sh available                   exit 0 where this can be done
#
# FUZZ_BUILD is the folder (default build-fuzz), FUZZ_TREE another tree to take the sources under test from.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here root=${here%/tests/fuzz}
readonly build=${FUZZ_BUILD:-$root/build-fuzz}
readonly targets=(head response chunked config call verdict)
readonly clang=/usr/bin/clang++-14

die() {
  echo "fuzz: $*" >&2
  exit 2
}

available() {
  [ -x $clang ] && compgen -G '/usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' >/dev/null
}

build() {
  available || die "libFuzzer is missing: apt-get install --no-install-recommends clang-14 libclang-rt-14-dev"
  PATH=/usr/sbin:/usr/bin:/sbin:/bin cmake -S "$here" -B "$build" -G Ninja --log-level=WARNING \
    -DCMAKE_CXX_COMPILER=$clang -DLINGATE_FUZZ_SOURCE="${FUZZ_TREE:-$root}" >/dev/null
  local output
  output=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin ninja -C "$build" -j "${LINGATE_JOBS:-$(nproc)}" --quiet "$@" 2>&1) || {
    echo "$output" >&2
    die "the targets do not build"
  }
}

is_target() {
  [[ " ${targets[*]} " == *" $1 "* ]]
}

export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$here/leak.supp:print_suppressions=0

# search TARGET CORPUS OPTION...: what is found stays in $build/found/TARGET, what is learnt in CORPUS.
search() {
  local target=$1 corpus=$2 found=$build/found/$1/
  shift 2
  mkdir -p "$corpus" "$found"
  if ! "$build/fuzz_$target" "$@" -dict="$here/$target.dict" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$found" -print_final_stats=1 "$corpus" "$here/seeds/$target" >"$build/$target.log" 2>&1; then
    grep -E '^broken property|ERROR:|SUMMARY|runtime error|Test unit written' "$build/$target.log" >&2 || true
    echo "fuzz: $target found something; the whole report is $build/$target.log" >&2
    return 1
  fi
  awk -v target="$target" '/^stat::number_of_executed_units/ {runs = $2}
    END {printf "%s: %d inputs, nothing found\n", target, runs}' "$build/$target.log"
}

# The corpus of earlier runs grows.
search_for() {
  search "$1" "$build/corpus/$1" -max_total_time="$2"
}

# From the seeds alone, in one order: about five seconds each.
declare -rA repeatable_runs=([head]=14000 [response]=16000 [chunked]=25000 [config]=2000 [call]=10000 [verdict]=20000)
search_repeatably() {
  local corpus
  corpus=$(mktemp -d "$build/corpus.XXXXXX")
  search "$1" "$corpus" -seed=1 -runs="${repeatable_runs[$1]}" || {
    rm -rf "$corpus"
    return 1
  }
  rm -rf "$corpus"
}

[ $# -gt 0 ] || die "usage: run.sh TARGET [SECONDS]; targets: ${targets[*]}"
case $1 in
  available) available ;;
  build) build "${@:2}" ;;
  replay)
    is_target "${2:-}" || die "there is no target '${2:-}'; there are: ${targets[*]}"
    build "fuzz_$2"
    "$build/fuzz_$2" "${@:3}"
    ;;
  all)
    build
    status=0
    for target in "${targets[@]}"; do
      search_for "$target" "${2:-60}" || status=1
    done
    exit $status
    ;;
  repeatable)
    build
    status=0
    for target in "${targets[@]}"; do
      search_repeatably "$target" || status=1
    done
    exit $status
    ;;
  *)
    is_target "$1" || die "there is no target '$1'; there are: ${targets[*]}"
    build "fuzz_$1"
    search_for "$1" "${2:-60}"
    ;;
esac
