#!/usr/bin/env bash
# The demo: two upstreams and a gateway with scripts in three languages. Prints requests to paste into another terminal;
# Ctrl-C ends everything. Busy ports move: 8080 is tried first, then the next ones.
#
#   demo.sh BUILD_DIR
set -euo pipefail

examples=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: demo.sh BUILD_DIR}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lingate-demo.XXXXXX")
pids=()

cleanup() {
  trap - EXIT INT TERM
  ((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until FILE has a line that matches PATTERN, or the process PID has ended; prints the line.
await_line() {
  local file=$1 pattern=$2 pid=$3
  until grep -m1 -E "$pattern" "$file" 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || return 1
    read -rt 0.05 <> <(:) || true
  done
}

# An upstream on a port of the system's choice; sets `port`.
start_upstream() {
  "$build/demo-upstream" "$1" 0 >"$work/$1.out" 2>&1 &
  pids+=($!)
  local line
  line=$(await_line "$work/$1.out" 'listening on' $!) || { cat "$work/$1.out" >&2; exit 1; }
  port=${line##*:}
}

# The gateway's configuration with the ports in use; scripts stay where they are.
write_config() {
  sed -e "s#127.0.0.1:8080#127.0.0.1:$1#" -e "s#127.0.0.1:9001#127.0.0.1:$shop#" -e "s#127.0.0.1:9002#127.0.0.1:$billing#" \
    -e "s#file: scripts/#file: $examples/scripts/#" "$examples/gateway.yaml" >"$work/gateway.yaml"
}

start_gateway() {
  local port
  for port in {8080..8099} 0; do
    write_config "$port"
    : >"$work/gateway.err"
    "$build/lingate" run -c "$work/gateway.yaml" >"$work/access.log" 2>"$work/gateway.err" &
    gateway=$!
    if line=$(await_line "$work/gateway.err" '^listening http://' "$gateway"); then
      pids+=("$gateway")
      url=${line#listening }
      return
    fi
    wait "$gateway" && status=0 || status=$?
    ((status == 6)) || { cat "$work/gateway.err" >&2; exit "$status"; }
  done
  cat "$work/gateway.err" >&2
  exit 6
}

start_upstream shop && shop=$port
start_upstream billing && billing=$port
start_gateway

cat <<END

lingate runs at $url with scripts in Lua, Python and JavaScript. Try, in another terminal:

  curl -i $url/hello
  curl -i $url/shop/basket
  curl -i -H 'X-Api-Key: demo-key' $url/shop/basket
  curl -i -d '{"amount": 12}' $url/billing/invoices
  curl -i $url/customers/7
  curl -i -H 'X-Api-Key: demo-key' $url/tenant/customers/7
  curl -N $url/live/events

  configuration  $examples/gateway.yaml
  scripts        $examples/scripts/
  access log     $work/access.log

Ctrl-C ends it.
END

# Ends when the gateway does, or on Ctrl-C.
wait "$gateway" && status=0 || status=$?
cat "$work/gateway.err" >&2
exit "$status"
