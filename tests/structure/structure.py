#!/usr/bin/env python3
"""What the house's layout demands of the sources, held by a machine.

    structure.py ROOT          print each violation as file:line: text; exit 1 if there is one
    structure.py --self-check  plant each kind of violation in a scratch tree and see that it is found, and a control not

Rules: includes point one way (ALLOWED below), an engine's headers stay in its room, includes are written from the root,
a header has `#pragma once` and opens with its concept, a file has at most 450 lines, a folder of code has a README.md.
"""
import os
import re
import sys
import tempfile

# box: the boxes whose headers it may include, besides its own. A box is a folder; the longest match counts.
BELOW_RUNTIMES = ["base", "proto"]
BELOW_MIDDLEWARE = ["runtimes", "store"] + BELOW_RUNTIMES
BELOW_GATEWAY = ["middleware"] + BELOW_MIDDLEWARE
GATEWAY_PARTS = ["gateway/tls", "gateway/http2", "gateway/routing", "gateway/config", "gateway/http", "gateway/admin", "gateway/bench", "gateway/cli"]
BENCH_PARTS = ["gateway/bench/load", "gateway/bench/page", "gateway/bench/rooms"]
ALLOWED = {
    "base": [],
    "proto": ["base"],
    "store": ["base"],
    "runtimes": BELOW_RUNTIMES,
    "middleware": BELOW_MIDDLEWARE,
    "middleware/examples": [],
    "gateway": GATEWAY_PARTS + BELOW_GATEWAY,
    "gateway/tls": ["base"],
    "gateway/http2": ["base"],
    "gateway/routing": BELOW_RUNTIMES,
    "gateway/config": ["gateway/routing", "gateway/tls"] + BELOW_GATEWAY,
    "gateway/http": ["gateway/routing", "gateway/tls", "gateway/http2"] + BELOW_GATEWAY,
    "gateway/admin": ["gateway/routing", "gateway/tls", "gateway/http2", "gateway/config", "gateway/http"] + BELOW_GATEWAY,
    "gateway/bench": ["base"],
    "gateway/bench/load": ["gateway/bench", "base"],
    "gateway/bench/page": ["gateway/bench", "base"],
    "gateway/bench/rooms": ["gateway/bench", "gateway/routing", "gateway/tls", "gateway/http2", "gateway/http"] + BELOW_GATEWAY,
    "gateway/cli": BENCH_PARTS + GATEWAY_PARTS + BELOW_GATEWAY,
}
ROOMS = {  # a room's own engine; rooms see runtimes/ and what is below it, never each other
    "echo": None,
    "lua": re.compile(r"<(lua|lualib|lauxlib|luaconf|luajit)\.h(pp)?>"),
    "python": re.compile(r"<(Python|structmember|frameobject|pythread|cpython/.*|internal/.*)(\.h)?>"),
    "duktape": re.compile(r"<(duktape|duk_config|lingate_duk_\w+)\.h>"),
}
for room in ROOMS:
    ALLOWED["runtimes/" + room] = ["runtimes"] + BELOW_RUNTIMES
FREE = ("tests", "bench")  # may include anything but an engine
THE_LIST_OF_ROOMS = "runtimes/builtin.cpp"  # the one file that names the rooms' factories
V8 = re.compile(r"<v8[\w-]*\.h>")

MAX_LINES, LONG_LINES = 450, 300
WITH_README = ("base", "proto", "store", "runtimes", "middleware", "gateway", "bench")
SOURCE = (".h", ".cpp", ".c")
COUNTED = SOURCE + (".py", ".lua", ".js", ".sh", ".cmake")
SKIPPED = re.compile(r"^(third_party|build[^/]*|\.git)$|__pycache__")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<][^">]+[">])')


def box_of(path):
    folder = os.path.dirname(path)
    while folder and folder not in ALLOWED:
        folder = os.path.dirname(folder)
    return folder or None


def files_below(root):
    for folder, folders, names in os.walk(root):
        relative = os.path.relpath(folder, root)
        folders[:] = sorted(f for f in folders if not (SKIPPED.search(f) if relative == "." else f == "__pycache__"))
        for name in sorted(names):
            yield os.path.normpath(os.path.join(relative, name))


def check_engine(path, header):
    for room, pattern in list(ROOMS.items()) + [("v8", V8)]:
        if pattern and pattern.fullmatch(header) and not path.startswith("runtimes/%s/" % room):
            return "an engine's header stays in its room: %s belongs to runtimes/%s" % (header, room)
    return None


def check_direction(root, path, header):
    target = header[1:-1]
    if target.endswith(".pb.h") or target.startswith("lingate_build"):
        return None  # generated
    if not os.path.exists(os.path.join(root, target)):
        return 'write includes from the root: there is no "%s"' % target
    own, other = box_of(path), box_of(target)
    if path.startswith(FREE):
        return None
    if path == THE_LIST_OF_ROOMS and re.fullmatch(r"runtimes/(\w+)/\1\.h", target):
        return None
    if own is None or other is None:
        return "%s is in no box: add its folder to ALLOWED in tests/structure/structure.py" % (path if own is None else target)
    if other != own and other not in ALLOWED[own]:
        return "%s may not include %s: includes point one way (gateway, middleware, runtimes or store, proto, base)" % (own, target)
    return None


def check_source(root, path, lines):
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(1)
        text = check_engine(path, header)
        if not text and header[0] == '"':
            text = check_direction(root, path, header)
        if text:
            yield number, text
    if path.endswith(".h") and not path.startswith(FREE):
        if "#pragma once" not in (line.strip() for line in lines):
            yield 1, "a header needs #pragma once"
        if not lines or not lines[0].startswith("//"):
            yield 1, "a header opens with its concept, thread and lifetime"


def check(root):
    """Yields (path, line, text); long files that are still allowed come with line 0."""
    folders = set()
    for path in files_below(root):
        if not path.endswith(COUNTED):
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = file.read().splitlines()
        if len(lines) > MAX_LINES:
            yield path, len(lines), "a file of more than %d lines is two files" % MAX_LINES
        elif len(lines) > LONG_LINES:
            yield path, 0, "%d lines: near to asking to be two" % len(lines)
        if path.endswith(SOURCE):
            yield from ((path, number, text) for number, text in check_source(root, path, lines))
            folders.add(os.path.dirname(path))
    for folder in sorted(folders):
        if folder.startswith(WITH_README) and not folder.startswith("middleware/examples/") and not os.path.exists(os.path.join(root, folder, "README.md")):
            yield folder, 1, "a folder of code has a README.md"


# ---- the check of the check ----

HEADER = "// Concept.\n#pragma once\n"
CONTROL = {
    "base/README.md": "", "proto/README.md": "", "runtimes/README.md": "", "runtimes/lua/README.md": "",
    "runtimes/echo/README.md": "", "middleware/README.md": "", "gateway/README.md": "", "gateway/http/README.md": "",
    "gateway/routing/README.md": "", "gateway/cli/README.md": "",
    "base/result.h": HEADER + "#include <string>\n",
    "proto/wire.h": HEADER + '#include "base/result.h"\n',
    "runtimes/runtime.h": HEADER + '#include "proto/wire.h"\n',
    "runtimes/lua/lua.h": HEADER + '#include "runtimes/runtime.h"\n',
    "runtimes/lua/lua.cpp": '#include "runtimes/lua/lua.h"\n#include <lua.h>\n',
    "runtimes/echo/echo.h": HEADER,
    "runtimes/builtin.cpp": '#include "runtimes/lua/lua.h"\n',
    "middleware/chain.h": HEADER + '#include "runtimes/runtime.h"\n',
    "gateway/routing/router.h": HEADER,
    "gateway/http/worker.h": HEADER + '#include "middleware/chain.h"\n#include "gateway/routing/router.h"\n',
    "gateway/main.cpp": '#include "gateway/http/worker.h"\n' + "\n" * (MAX_LINES - 1),
    "tests/http/worker_test.cpp": '#include "gateway/http/worker.h"\n',
}
PLANTED = {  # file: (content, a word of the complaint)
    "base/up.h": (HEADER + '#include "proto/wire.h"\n', "one way"),
    "proto/up.h": (HEADER + '#include "runtimes/runtime.h"\n', "one way"),
    "runtimes/up.h": (HEADER + '#include "middleware/chain.h"\n', "one way"),
    "runtimes/pool.cpp": ('#include "runtimes/lua/lua.h"\n', "one way"),
    "runtimes/lua/up.h": (HEADER + '#include "gateway/http/worker.h"\n', "one way"),
    "runtimes/lua/across.cpp": ('#  include "runtimes/echo/echo.h"\n', "one way"),
    "middleware/room.cpp": ('#include "runtimes/lua/lua.h"\n', "one way"),
    "middleware/up.cpp": ('#include "gateway/routing/router.h"\n', "one way"),
    "gateway/routing/up.cpp": ('#include "gateway/http/worker.h"\n', "one way"),
    "gateway/http/engine.cpp": ("#include <lua.h>\n", "engine"),
    "middleware/engine.cpp": ("#include <Python.h>\n", "engine"),
    "runtimes/echo/engine.cpp": ("#include <duktape.h>\n", "engine"),
    "tests/http/engine_test.cpp": ("#include <v8-isolate.h>\n", "engine"),
    "gateway/cli/relative.cpp": ('#include "worker.h"\n', "from the root"),
    "base/twice.h": ("// Concept.\n", "pragma once"),
    "base/silent.h": ("#pragma once\n", "concept"),
    "gateway/http/long.cpp": ("\n" * (MAX_LINES + 1), "two files"),
    "gateway/elsewhere/new.cpp": ("\n", "README"),
}


def self_check():
    def violations(files):
        with tempfile.TemporaryDirectory() as root:
            for path, content in files.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(content)
            return [found for found in check(root) if found[1]]

    wrong = ["the control has %s:%d: %s" % found for found in violations(CONTROL)]
    for path, (content, word) in PLANTED.items():
        found = violations({**CONTROL, path: content})
        if len(found) != 1 or word not in found[0][2] or not path.startswith(found[0][0]):
            wrong.append("planted in %s: expected one complaint about '%s', got %s" % (path, word, found))
    return wrong


def main():
    if sys.argv[1:] == ["--self-check"]:
        wrong = self_check()
        print("\n".join(wrong) or "%d planted violations found, the control is clean" % len(PLANTED))
        return 1 if wrong else 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    for path, line, text in check(sys.argv[1]):
        print("%s:%d: %s" % (path, line, text) if line else "%s: %s" % (path, text))
        failed |= line > 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
