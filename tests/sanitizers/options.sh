# shellcheck shell=bash
# Sourced by ./dev test --sanitize: how the sanitizers report, and what they must not report. A suppression stands only
# where an engine forces it, with its reason beside it in the .supp files.
sanitizers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export ASAN_OPTIONS="strict_string_checks=1:check_initialization_order=1:detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="suppressions=$sanitizers/leak.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="suppressions=$sanitizers/thread.supp:halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
# Seconds for what must happen at all (tests/support/gateway.py): a gateway whose scripts have dozens of worker processes
# takes more than the usual ones to start.
export LINGATE_TEST_DEADLINE="${LINGATE_TEST_DEADLINE:-120}"
