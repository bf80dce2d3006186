#!/usr/bin/env python3
"""Every header compiles on its own.

    headers.py ROOT BUILD_DIR        compile what the build does not already prove; exit 1 if a header does not stand alone
    headers.py --self-check          a planted header that leans on its includer's includes must be found

A header that some .cpp of its folder includes before anything else is proven by the build. The others are compiled
here, each alone, with the flags that the build uses in that folder.
"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

from structure import INCLUDE, SKIPPED, files_below

DROPPED = re.compile(r"^-(o|c|MF|MT|MQ)$")


def first_include(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = INCLUDE.match(line)
            if match:
                return match.group(1)[1:-1]
    return None


def load_commands(root, build):
    """{source relative to root: its compiler arguments without input and output}"""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    commands = {}
    for entry in entries:
        path = os.path.relpath(entry["file"], root)
        if path.startswith(".."):
            continue
        words, kept = shlex.split(entry["command"]), []
        while words and not re.search(r"(c\+\+|g\+\+|clang\+\+)[-\d.]*$", words[0]):
            words.pop(0)  # a launcher such as ccache
        while words:
            word = words.pop(0)
            if DROPPED.match(word):
                if word != "-c" and words:
                    words.pop(0)
            elif os.path.normpath(os.path.join(entry["directory"], word)) != os.path.normpath(entry["file"]):
                kept.append(word)
        commands[path] = kept
    return commands


def flags_for(header, commands):
    """Those of a source in the nearest folder."""
    folder = os.path.dirname(header)
    while True:
        for path in sorted(commands):
            if os.path.dirname(path) == folder or (folder == "" and commands[path]):
                return commands[path]
        folder = os.path.dirname(folder)


def compile_alone(root, header, flags):
    command = flags[:1] + ["-x", "c++"] + flags[1:] + ["-fsyntax-only", "-O0"] + ["-include", header, "/dev/null"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


def check(root, build):
    """Returns (headers proven by the build, {header: complaint or None} of those compiled here)."""
    commands = load_commands(root, build)
    proven = {first_include(os.path.join(root, path)) for path in commands}
    headers = [p for p in files_below(root) if p.endswith(".h") and not SKIPPED.search(p)]
    alone = [h for h in headers if h not in proven]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = pool.map(lambda h: compile_alone(root, h, flags_for(h, commands)), alone)
    return len(headers) - len(alone), dict(zip(alone, results))


def self_check():
    files = {
        "base/good.h": "#pragma once\n#include <string>\ninline std::string good() { return {}; }\n",
        "base/leans.h": "#pragma once\ninline std::string leans() { return {}; }\n",
        "base/a.cpp": "#include <string>\n#include \"base/good.h\"\n#include \"base/leans.h\"\n",
    }
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "base"))
        for path, content in files.items():
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(content)
        entry = {"directory": root, "file": os.path.join(root, "base/a.cpp"),
                 "command": "/usr/bin/c++ -I%s -std=c++20 -o a.o -c base/a.cpp" % root}
        with open(os.path.join(root, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump([entry], file)
        _, results = check(root, root)
    return results["base/good.h"] is None and results["base/leans.h"] is not None


def main():
    if sys.argv[1:] == ["--self-check"]:
        ok = self_check()
        print("the planted header was found, the control is clean" if ok else "the check does not tell a header that leans")
        return 0 if ok else 1
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    by_build, results = check(os.path.abspath(sys.argv[1]), sys.argv[2])
    bad = {header: text for header, text in results.items() if text}
    for header, text in bad.items():
        print("%s does not compile on its own:\n%s" % (header, text))
    print("%d headers proven by the build, %d compiled alone, %d bad" % (by_build, len(results), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
