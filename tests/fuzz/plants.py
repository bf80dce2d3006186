#!/usr/bin/env python3
"""Do the fuzz targets find bugs? Plants one at a time in a copy of the sources and lets its target search.

    plants.py FOLDER [SECONDS] [TARGET...]     FOLDER holds the copy and its build; 60 s each by default

A plant is the kind of slip that a change makes: a limit that is off by one, a check that is left out. Prints how long
each took to be found, and exits with 1 where one was not.
"""
import filecmp
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COPIED = ["base", "proto", "runtimes", "middleware", "gateway", "tests/fuzz"]

# target, file, what stands there, what is planted
PLANTS = [
    ("head", "gateway/http/head_scan.cpp", "if (size > limits.target) return", "if (size > limits.target + 1) return"),
    ("head", "gateway/http/head_scan.cpp", "if (facts.lengths > 1) return refuse", "if (facts.lengths > 2) return refuse"),
    ("head", "gateway/http/field_scan.cpp", "while (end - at >= 16) {", "while (end - at >= 15) {"),
    ("response", "gateway/http/head_scan.cpp", "head.status > 599) return", "head.status > 600) return"),
    ("response", "gateway/http/head_scan.cpp", "head.status == 204 || head.status == 304 ||", "head.status == 204 ||"),
    ("chunked", "gateway/http/chunked.cpp", "state_ = left_ > 0 ? State::data", "state_ = left_ > 1 ? State::data"),
    ("chunked", "gateway/http/chunked.cpp", "return state_ = State::size_start, c == '\\n';",
     "return state_ = State::size_start, true;"),
    ("chunked", "gateway/http/chunked.cpp", "if (++trailers_ > limits_->fields)", "if (trailers_++ > limits_->fields)"),
    ("config", "gateway/config/diagnostic.cpp", "static_cast<std::uint32_t>(columns(before) + 1)",
     "static_cast<std::uint32_t>(columns(before))"),
    ("config", "gateway/config/diagnostic.cpp", "if (line.ends_with('\\r')) line.remove_suffix(1);", ""),
    ("call", "runtimes/head_view.cpp", "drop = ++place;", "drop = place++;"),
    ("call", "runtimes/head_view.cpp", "line[2] != kNameKey || size >= kShort || size + 2U > encoded.size() - at",
     "line[2] != kNameKey || size >= kShort || size + 1U > encoded.size() - at"),
    ("verdict", "runtimes/wire_verdict.cpp", "field.value <= kHighestStatus;", "field.value <= kHighestStatus + 1;"),
    ("verdict", "runtimes/wire_verdict.cpp", "field.is(kValues, WireType::bytes) && fields::is_value(field.bytes)",
     "field.is(kValues, WireType::bytes) && (edit.append || fields::is_value(field.bytes))"),
    ("verdict", "middleware/script_verdict.cpp", "headers.restore(saved_);", ""),
]


def copy_changed(source, copy):
    """What is the same keeps its time, so that it is not built again."""
    if not os.path.exists(copy) or not filecmp.cmp(source, copy, shallow=False):
        shutil.copyfile(source, copy)


def copy_sources(tree):
    for folder in COPIED:
        shutil.copytree(os.path.join(ROOT, folder), os.path.join(tree, folder), dirs_exist_ok=True,
                        copy_function=copy_changed)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def search(environment, target, seconds):
    """The seconds until something is found, or None; the property that broke."""
    runner = os.path.join(HERE, "run.sh")
    subprocess.run([runner, "build", "fuzz_" + target], env=environment, check=True)
    shutil.rmtree(os.path.join(environment["FUZZ_BUILD"], "corpus", target), ignore_errors=True)
    begin = time.monotonic()
    result = subprocess.run([runner, target, str(seconds)], env=environment, stderr=subprocess.PIPE, text=True)
    took = time.monotonic() - begin
    why = re.search(r"broken property: .*|ERROR: \w+: [\w -]+|runtime error: .*", result.stderr)
    return (took if result.returncode == 1 else None), why.group(0) if why else result.stderr.strip()


def main(arguments):
    if not arguments:
        sys.exit(__doc__)
    folder = os.path.abspath(arguments[0])
    seconds = int(arguments[1]) if len(arguments) > 1 else 60
    tree = os.path.join(folder, "tree")
    copy_sources(tree)
    environment = dict(os.environ, FUZZ_TREE=tree, FUZZ_BUILD=os.path.join(folder, "build"))
    missed = 0
    for target, file, right, wrong in PLANTS:
        if len(arguments) > 2 and target not in arguments[2:]:
            continue
        path = os.path.join(tree, file)
        text = open(path, encoding="utf-8").read()
        assert text.count(right) == 1, "%s: '%s' does not stand there once" % (file, right)
        write(path, text.replace(right, wrong))
        try:
            took, why = search(environment, target, seconds)
        finally:
            write(path, text)
        missed += took is None
        print("%-9s %-8s %s: %s  (%s)" % (target, "%.1f s" % took if took is not None else "MISSED", file, wrong, why),
              flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
