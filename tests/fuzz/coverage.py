#!/usr/bin/env python3
"""How much of its source each fuzz target reaches.

    coverage.py BUILD [--missed] TARGET...

Builds the targets in BUILD/coverage to count lines (clang's source-based coverage), replays what the searches of run.sh
have kept in BUILD/corpus and the seeds, and prints for each target the lines of its source that ran. Exits with 1 where
a target is below 85 %. --missed also prints the lines that did not run.
"""
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LEAST = 85

# A target's source, and the functions in it that belong to another target. Heads of requests and of responses are
# scanned in one file; the field table's other readers take no input.
SOURCES = {
    "head": (["gateway/http/head_scan.cpp", "gateway/http/field_scan.cpp", "base/authority.cpp"],
             ["scan_response", "scan_status_line", "check_response", "make_table", "host_of"]),
    "response": (["gateway/http/head_scan.cpp", "gateway/http/field_scan.cpp"],
                 ["scan_request", "scan_request_line", "cut_target", "check_host", "check_request", "split_query", "starts_with_scheme",
                  "is_target_char"]),
    "chunked": (["gateway/http/chunked.cpp"], []),
    "config": (["gateway/config/%s.cpp" % name for name in (
        "addresses", "build_chains", "build_gateway", "build_routes", "build_upstreams", "diagnostic", "loader",
        "secret", "validate", "validate_values", "values", "yaml")], ["load_file", "cannot_read"]),
    "call": (["runtimes/%s.cpp" % name for name in (
        "call_view", "call_session", "call_verdict", "head_view", "header_rules", "wire_call")] +
             ["runtimes/wire_call.h", "proto/wire.h"], []),
    "verdict": (["runtimes/wire_verdict.cpp", "middleware/script_verdict.cpp", "middleware/sessions/session.cpp"], []),
}


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def build(folder, targets):
    run("cmake", "-S", HERE, "-B", folder, "-G", "Ninja", "--log-level=WARNING",
        "-DLINGATE_FUZZ_COVERAGE=ON", "-DCMAKE_CXX_COMPILER=/usr/bin/clang++-14", stdout=subprocess.DEVNULL)
    jobs = os.environ.get("LINGATE_JOBS", str(os.cpu_count()))
    run("ninja", "-C", folder, "-j", jobs, "--quiet", *["fuzz_" + target for target in targets])


def measure(build_folder, folder, target):
    raw, merged = (os.path.join(folder, target + end) for end in (".profraw", ".profdata"))
    program = os.path.join(folder, "fuzz_" + target)
    inputs = [os.path.join(HERE, "seeds", target), os.path.join(build_folder, "corpus", target)]
    run(program, *[each for each in inputs if os.path.isdir(each)], stdout=subprocess.DEVNULL,
        env=dict(os.environ, LLVM_PROFILE_FILE=raw))
    run("llvm-profdata-14", "merge", "-sparse", raw, "-o", merged)
    counts = export(program, merged, "lcov")
    functions = json.loads(export(program, merged, "text"))["data"][0]["functions"]
    return counts, functions


def export(program, profile, form):
    return run("llvm-cov-14", "export", program, "-instr-profile", profile, "-format=" + form, capture_output=True,
               text=True).stdout


def counted_lines(lcov, wanted):
    """{(path, line): how often it ran}"""
    lines, path = {}, None
    for record in lcov.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            path = wanted.get(os.path.normpath(value))
        elif kind == "DA" and path:
            line, count = value.split(",")[:2]
            lines[(path, int(line))] = int(count)
    return lines


def is_of(name, other):
    return "%d%s" % (len(other), other) in name  # as it is mangled


def lines_of(counts, functions, paths, others):
    wanted = {os.path.join(ROOT, path): path for path in paths}
    lines = counted_lines(counts, wanted)
    for function in functions:
        path = wanted.get(os.path.normpath(function["filenames"][0]))
        if path and any(is_of(function["name"], other) for other in others):
            first, _, last = function["regions"][0][:3]
            for line in range(first, last + 1):
                lines.pop((path, line), None)
    return lines


def print_missed(lines):
    for path, line in sorted(place for place, count in lines.items() if not count):
        text = open(os.path.join(ROOT, path), encoding="utf-8").read().splitlines()[line - 1]
        print("    %s:%d: %s" % (path, line, text.strip()))


def main(arguments):
    missed = "--missed" in arguments
    arguments = [each for each in arguments if each != "--missed"]
    if not arguments:
        sys.exit(__doc__)
    build_folder, targets = os.path.abspath(arguments[0]), arguments[1:] or list(SOURCES)
    folder = os.path.join(build_folder, "coverage")
    build(folder, targets)
    enough = True
    for target in targets:
        paths, others = SOURCES[target]
        lines = lines_of(*measure(build_folder, folder, target), paths, others)
        ran = sum(1 for count in lines.values() if count)
        share = 100 * ran / len(lines)
        enough = enough and share >= LEAST
        print("%-9s %5.1f %%  %4d of %4d lines" % (target, share, ran, len(lines)), flush=True)
        if missed:
            print_missed(lines)
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
