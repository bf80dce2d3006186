"""Scripts that mean no good, by language: each is the body of a request hook.

    LOOPS["lua"]["pcall"]           never end by themselves: answered with 504 at their budget
    ALLOCATIONS["js"]["array"]      take memory without end: 500, kind memory
    OVERSIZED["lua"]["huge_json"]   make the library produce a giant: 500
    RECURSIONS["python"]["json"]    go too deep: 500, an exception
    ERRORS["lua"]["nothing"]        fail in an odd way: 500, an exception
    HOLDS["python"]["sleep"]        C code that neither runs Python nor allocates, for a second or two
    HOLDS_FOR_EVER, KILLED          what only a process of its own survives

`script(language, body)` makes a whole script of one. It answers "calm" where X-Calm is sent, which is how a test sees
that the instance is well afterwards. Scripts that try to get out of their box are in escapes.py.
"""
import threading
import time

LANGUAGES = ("lua", "python", "js")
EXTENSION = {"lua": "lua", "python": "py", "js": "js"}

SCRIPTS = {
    "lua": 'local M = {}\nfunction M.request(req, ctx)\n  if req.headers["X-Calm"] then return lingate.respond(200, "calm") end\n  %s\nend\nreturn M\n',
    "python": 'import lingate\ndef request(req, ctx):\n    if "X-Calm" in req.headers: return lingate.respond(200, "calm")\n    %s\n',
    "js": 'var lingate = require("lingate");\nexports.request = function (req, ctx) {\n  if (req.headers["X-Calm"]) return lingate.respond(200, "calm");\n  %s\n};\n',
}


def script(language, body):
    return SCRIPTS[language] % (body.replace("\n", "\n    ") if language == "python" else body)


class Lateness(threading.Thread):
    """How late this machine runs a thread that asked to be woken: what no budget can be blamed for."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.worst = 0.0
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        while True:
            before = time.monotonic()
            if self.ended.wait(0.005):
                return
            self.worst = max(self.worst, time.monotonic() - before - 0.005)

    def take(self):
        worst, self.worst = self.worst, 0.0
        return worst


LOOPS = {
    "lua": {
        "plain": "while true do end",
        "jit": "local x = 0 while true do x = x + 1 end",
        "jit_for": "local x = 0 for i = 1, 1e18 do x = x + i % 7 end",
        "pcall": "while true do pcall(function() while true do end end) end",
        "nested_pcall": "local function go() while true do local ok = pcall(go) if not ok then go() end end end go()",
        "handler": "xpcall(error, function() while true do end end)",
        "coroutine": "local function spin() while true do end end coroutine.wrap(spin)()",
        "coroutines": "while true do coroutine.wrap(function() end)() end",
        "iterator": "for _ in function() return 1 end do end",
        "tail_calls": "local function f() return f() end f()",
        "goto": "::again:: goto again",
        "sort": "local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function(a, b) while true do end end)",
        "sort_native": "local t = {} for i = 1, 2e5 do t[i] = i end while true do table.sort(t, rawequal) end",
        "tostring": "tostring(setmetatable({}, {__tostring = function() while true do end end}))",
        "index": "local t = setmetatable({}, {__index = function() while true do end end}) local _ = t.x",
        "concat_meta": "local t = setmetatable({}, {__concat = function() while true do end end}) local _ = t .. 'x'",
        "log": "while true do lingate.log.info('again') end",
        "pairs": "for _ in pairs(setmetatable({}, {__pairs = function() while true do end end})) do end",
        "index_chain": "local t = {} for i = 1, 90 do t = setmetatable({}, {__index = t}) end while true do local _ = t.x end",
        "pattern": 'local s = string.rep("a", 50) s:find(string.rep("a*", 50) .. "b")',
        "pattern_lazy": "string.match(string.rep('a', 200000), '.-.-.-.-b')",
        "pattern_balance": "string.find(string.rep('(', 500000), '%b()')",
        "gmatch": "for _ in string.gmatch(string.rep('a', 1e6), '.-.-b') do end",
        "gsub": 'string.rep("a", 1000):gsub("", function() while true do end end)',
        "find_plain": "local s, p = string.rep('a', 1e6), string.rep('a', 5e5) .. 'b' while true do s:find(p, 1, true) end",
        "format": "local t = {} for i = 1, 200 do t[i] = i end local f = string.rep('%99.99f', 200) while true do string.format(f, unpack(t)) end",
        "rep": 'while true do local s = string.rep("x", 1000000) end',
        "concat": "local t = {} for i = 1, 100000 do t[i] = 'x' end while true do table.concat(t) end",
        "concat_range": "while true do pcall(table.concat, {}, '', 1, 2 ^ 31 - 1) end",
        "insert": "while true do pcall(table.insert, {1}, -2 ^ 31 + 1, 2) end",
        "unpack": "while true do pcall(unpack, {}, 1, 7000) end",
        "load": "while true do load(string.rep('x = 1 ', 150000)) end",
        "json": "local t = {} for i = 1, 1e6 do t[i] = i + 0.5 end while true do lingate.json.encode(t) end",
        "json_shared": "local t = {} for i = 1, 100 do t = {t, t} end while true do pcall(lingate.json.encode, t) end",
        "json_decode": "local s = '[' .. string.rep('1,', 1e6) .. '1]' while true do lingate.json.decode(s) end",
        "error_text": "error(setmetatable({}, {__tostring = function() while true do end end}))",
        "headers": "local _ while true do _ = req.headers['Host'] _ = req.headers:values('Host') end",
        "recursion": "local function f(n) return 1 + f(n + 1) end while true do pcall(f, 1) end",
    },
    "python": {
        "log": "while True: lingate.log.info('again')",
        "plain": "while True: pass",
        "for": "for i in range(10**12): i * i",
        "except": "x = 0\nwhile True:\n    try:\n        while True: x += 1\n    except BaseException: pass",
        "finally": "while True:\n    try:\n        while True: pass\n    finally:\n        continue",
        "nested_finally": "def f():\n    while True:\n        try:\n            while True: pass\n        finally: f()\nf()",
        "untraced_frame": "import sys\nf = sys._getframe()\nwhile True:\n    try:\n        f.f_trace_opcodes = f.f_trace_lines = False\n        while True: pass\n    except BaseException: pass",
        "name_of_the_machinery": "spin = 'while True:\\n    try:\\n        while True: pass\\n    except BaseException: pass'\nexec(compile(spin, '<lingate>', 'exec'))",
        "suppress": "import contextlib\nwhile True:\n    with contextlib.suppress(BaseException):\n        while True: pass",
        "exit": "class Swallow:\n    def __enter__(self): pass\n    def __exit__(self, *a): return True\nwhile True:\n    with Swallow():\n        while True: pass",
        "del": "class Odd:\n    def __del__(self):\n        while True: pass\nOdd()",
        "weakref": "import weakref\nclass Odd: pass\ndef spin(_):\n    while True: pass\nodd = Odd()\nr = weakref.ref(odd, spin)\ndel odd",
        "sort_key": "def key(x):\n    while True: pass\nsorted([1, 2], key=key)",
        "less": "class Odd:\n    def __lt__(self, other):\n        while True: pass\nsorted([Odd(), Odd()])",
        "hash": "class Odd:\n    def __hash__(self):\n        while True: pass\n{Odd(): 1}",
        "getattr": "class Odd:\n    def __getattr__(self, name):\n        while True: pass\nOdd().x",
        "property": "class Odd:\n    @property\n    def x(self):\n        while True: pass\nOdd().x",
        "metaclass": "class Meta(type):\n    def __call__(cls):\n        while True: pass\nclass Odd(metaclass=Meta): pass\nOdd()",
        "generator": "def forever():\n    while True: yield 1\nfor x in forever(): pass",
        "generator_close": "def stubborn():\n    while True:\n        try: yield 1\n        except BaseException: pass\nfor x in stubborn(): pass",
        "generator_sum": "sum(x for x in range(10**12))",
        "comprehension": "[x for x in range(10**12) if x < 0]",
        "iterator": "class Odd:\n    def __iter__(self): return self\n    def __next__(self): return 1\nfor x in Odd(): pass",
        "iter_call": "for x in iter(int, 1): pass",
        "map": "import itertools\nfor x in map(lambda x: x, itertools.count()): pass",
        "sum_range": "sum(range(10**12))",
        "max_range": "max(range(10**12))",
        "count": "import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)",
        "str": "class Odd:\n    def __str__(self):\n        while True: pass\nstr(Odd())",
        "format": "class Odd:\n    def __format__(self, spec):\n        while True: pass\nf'{Odd()}'",
        "re_sub": "import re\ndef spin(m):\n    while True: pass\nre.sub('a', spin, 'a')",
        "reduce": "import functools, itertools\nfunctools.reduce(lambda a, b: a, itertools.count())",
        "exec": "exec('while True: pass')",
        "eval": "while True: eval('1 + 1')",
        "json": "import json\nt = [0.5] * 1000\nwhile True: json.dumps(t)",
        "json_default": "import json\ndef spin(o):\n    while True: pass\njson.dumps(object(), default=spin)",
        "lingate_json": "t = [0.5] * 100000\nwhile True: lingate.json.encode(t)",
        "error_text": "class Odd(Exception):\n    def __str__(self):\n        while True: pass\nraise Odd()",
        "headers": "while True: req.headers['Host'], req.headers.values('Host')",
        "recursion": "def f(n): return 1 + f(n + 1)\nwhile True:\n    try: f(1)\n    except BaseException: pass",
    },
    "js": {
        "log": "for (;;) lingate.log.info('again');",
        "plain": "for (;;) {}",
        "try": "for (;;) { try { for (;;) {} } catch (e) {} }",
        "finally": "for (;;) { try { for (;;) {} } finally { continue; } }",
        "nested_finally": "function f() { try { for (;;) {} } finally { f(); } } f();",
        "sort": "[3, 2, 1].sort(function () { for (;;) {} });",
        "tostring": "String({toString: function () { for (;;) {} }});",
        "value_of": "1 + {valueOf: function () { for (;;) {} }};",
        "to_json": "JSON.stringify({toJSON: function () { for (;;) {} }});",
        "reviver": "JSON.parse('[1]', function () { for (;;) {} });",
        "getter": "var o = {}; Object.defineProperty(o, 'x', {get: function () { for (;;) {} }}); o.x;",
        "setter": "var o = {set x(v) { for (;;) {} }}; o.x = 1;",
        "proxy": "new Proxy({}, {get: function () { for (;;) {} }}).x;",
        "replacer": "'x'.replace(/x/, function () { for (;;) {} });",
        "map_loop": "for (;;) [1, 2, 3].map(function (x) { return x + 1; });",
        "apply": "for (;;) Math.max.apply(null, new Array(100000));",
        "eval": "for (;;) eval('1 + 1');",
        "function": "for (;;) Function('return 1')();",
        "regex": "/(x+x+)+y/.exec(new Array(40).join('x'));",
        "regex_nested": "/^(a+)+$/.test('a'.repeat(40) + 'b');",
        "regex_replace": "'a'.repeat(40).replace(/(a|aa)+$b/, '');",
        "regex_compile": "for (;;) new RegExp('(' + 'a|'.repeat(5000) + 'b)');",
        "index_of": "Array.prototype.indexOf.call({length: 2147483647}, 1);",
        "join": "new Array(2147483647).join('');",
        "array_like_sort": "Array.prototype.sort.call({length: 2147483647, 0: 2, 1: 1});",
        "reverse": "var a = []; a.length = 4294967295; a.reverse();",
        "for_each": "Array.prototype.forEach.call({length: 4294967295}, function () {});",
        "splice": "Array.prototype.splice.call({length: 2147483647}, 0, 0, 1);",
        "typed": "var f = new Float64Array(1000000), i = new Int32Array(1000000); for (;;) f.set(i);",
        "string_search": "var s = 'a'.repeat(1000000), t = 'a'.repeat(500000) + 'b'; for (;;) s.indexOf(t);",
        "upper": "var s = 'aB'.repeat(200000); for (;;) s.toUpperCase();",
        "uri": "var s = '\\u00e9'.repeat(200000); for (;;) encodeURIComponent(s);",
        "prototypes": "var p = {}; for (var i = 0; i < 5000; i++) p = Object.create(p); for (;;) p.x;",
        "json": "for (;;) JSON.stringify(JSON.parse('{\"a\":[1,2,3]}'));",
        "json_sparse": "JSON.stringify(new Array(2147483647));",
        "lingate_json": "var a = []; for (var i = 0; i < 20000; i++) a.push('x' + i); for (;;) lingate.json.encode(a);",
        "error_text": "throw {get message() { for (;;) {} }};",
        "headers": "for (;;) { req.headers['Host']; req.headers.values('Host'); }",
        "recursion": "function f(n) { return 1 + f(n + 1); } for (;;) { try { f(1); } catch (e) {} }",
    },
}

ALLOCATIONS = {
    "lua": {
        "table": "while true do pcall(function() local t = {} for i = 1, 1e9 do t[i] = {i} end end) end",
        "string": 'while true do pcall(function() local s = "x" while true do s = s .. s end end) end',
        "rep": "pcall(string.rep, 'x', 1e9)",
        "nested": "local t = {} while true do t = {t} end",
        "closures": "local t = {} while true do t[#t + 1] = function() return t end end",
        "coroutines": "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
        "gsub": "local s = string.rep('x', 1e6) s = s:gsub('x', string.rep('y', 1000))",
        "concat": "local t = {} for i = 1, 1e4 do t[i] = string.rep('x', 1e5) end while true do pcall(table.concat, t) end",
        "buffers": "local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end",
        "json": "local t, s = {}, '[' .. string.rep('{},', 1e5) .. '1]' while true do t[#t + 1] = lingate.json.decode(s) end",
        "base64": "local s = 'abcd' while true do s = lingate.base64.encode(s) end",
    },
    "python": {
        "list": "while True:\n    try: [0] * 10**9\n    except BaseException: pass",
        "string": "while True:\n    try:\n        s = 'x'\n        while True: s += s\n    except BaseException: pass",
        "bytes": "b'x' * 10**10",
        "bytearray": "while True:\n    try: bytearray(10**9)\n    except BaseException: pass",
        "objects": "t = []\nwhile True: t.append(object())",
        "dict": "d = {}\nfor i in range(10**9): d[i] = [i]",
        "range": "list(range(10**10))",
        "join": "import itertools\n''.join(itertools.repeat('x'))",
        "bigint": "1 << 10**9",
        "nested": "t = []\nfor i in range(10**8): t = [t, i]",
        "format": "'%1000000000d' % 1",
        "classes": "t = []\nwhile True: t.append(type('A', (), {}))",
        "base64": "s = 'abcd'\nwhile True: s = lingate.base64.encode(s)",
    },
    "js": {
        "array": "var s = new Array(1000).join('xxxxxxxxxx'); for (;;) { try { var t = []; for (;;) t.push(t.length + s); } catch (e) {} }",
        "string": "for (;;) { try { var s = 'x'; for (;;) s += s; } catch (e) {} }",
        "buffer": "for (;;) try { new Uint8Array(1000000000); } catch (e) {}",
        "repeat": "try { 'x'.repeat(1000000000); } finally { return lingate.respond(200, 'survived'); }",
        "members": "var o = {}; for (var i = 0;; i++) o['k' + i] = i;",
        "nested": "var a = []; for (;;) a = [a, a];",
        "cycles": "var l; for (;;) { var n = {l: l}; n.self = n; l = n; }",
        "join": "new Array(10000000).join('x'.repeat(1000));",
        "json": "var t = []; for (;;) t.push(JSON.parse('[' + '[],'.repeat(10000) + '0]'));",
        "eval": "eval('var a = [' + '1,'.repeat(4000000) + ']');",
        "closures": "var t = []; for (;;) t.push(function () { return t; });",
        "base64": "var s = 'abcd'; for (;;) s = lingate.base64.encode(s);",
    },
}
# A hundred times the same text of 10 MB, of which the library would make something huge outside of the engine.
_SHARED = {
    "lua": "local x, t = string.rep('x', 1e7), {a = {}} for i = 1, 100 do t.a[i] = x end ",
    "python": "t = {'a': ['x' * 10**7] * 100}\n",
    "js": "var x = 'x'.repeat(10000000), t = {a: []}; for (var i = 0; i < 100; i++) t.a.push(x); ",
}
OVERSIZED = {
    language: {
        "huge_json": _SHARED[language] + "lingate.json.encode(t)",
        "huge_answer": _SHARED[language] + "return lingate.respond(200, t)",
        "huge_query": _SHARED[language] + "lingate.query.build(t)",
        "huge_log": _SHARED[language] + "lingate.log.info('x', t)",
    }
    for language in LANGUAGES
}

RECURSIONS = {
    "lua": {
        "script": "local function f() return 1 + f() end f()",
        "gsub": "local function f(s) return (s:gsub('.', f)) end f('x')",
        "sort": "local function f() table.sort({2, 1, 3}, f) return true end f()",
        "tostring": "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() return tostring(t) .. 'x' end tostring(t)",
        "index": "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k .. 'x'] end local _ = t.x",
        "coroutine": "local function f() coroutine.wrap(f)() end f()",
        "pcall": "local function f() local ok, e = pcall(f) error(e, 0) end f()",
        "load": "assert(load('return ' .. string.rep('(', 1e5) .. string.rep(')', 1e5)))",
        "pattern": "string.find(string.rep('a', 1e5), string.rep('(a', 1e4))",
        "pattern_optional": "string.find(string.rep('a', 1e5), string.rep('a?', 1e5))",
        "json_decode": "lingate.json.decode(string.rep('[', 1e6))",
        "json_encode": "local t = {} for i = 1, 2e4 do t = {t} end lingate.json.encode(t)",
        "json_cycle": "local t = {} t.t = t lingate.json.encode(t)",
    },
    "python": {
        "script": "def f(): f()\nf()",
        "getattr": "class A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\nA().b",
        "repr": "class R:\n    def __repr__(self): return repr(self)\nrepr(R())",
        "repr_nested": "t = []\nfor _ in range(20000): t = [t]\nrepr(t)",
        "equal": "a, b = [], []\nfor _ in range(20000): a, b = [a], [b]\na == b",
        "json_decode": "import json\njson.loads('[' * 100000)",
        "json_encode": "import json\nt = []\nfor _ in range(20000): t = [t]\njson.dumps(t)",
        "lingate_decode": "lingate.json.decode('[' * 1000000)",
        "lingate_encode": "t = []\nfor _ in range(20000): t = [t]\nlingate.json.encode(t)",
        "regex": "import re\nre.compile('(' * 2000 + ')' * 2000)",
        "eval": "eval('(' * 5000 + ')' * 5000)",
        "sort": "def key(x): return sorted([x], key=key)\nkey(1)",
        "generator": "def g(): yield from g()\nlist(g())",
        "del": "class D:\n    def __init__(self): self.d = D()\nD()",
    },
    "js": {
        "script": "function f() { return 1 + f(); } f();",
        "for_each": "function f() { [1].forEach(f); } f();",
        "sort": "[1, 2].sort(function f() { [1, 2].sort(f); });",
        "replace": "'x'.replace(/x/, function f() { return 'x'.replace(/x/, f); });",
        "getter": "var o = {get x() { return this.x; }}; o.x;",
        "proxy": "var p = new Proxy({}, {get: function (t, k) { return p[k]; }}); p.x;",
        "tostring": "var o = {toString: function () { return '' + o; }}; '' + o;",
        "json_decode": "JSON.parse('['.repeat(100000));",
        "json_encode": "var a = []; for (var i = 0; i < 20000; i++) a = [a]; JSON.stringify(a);",
        "to_json": "var o = {toJSON: function () { return JSON.stringify(o); }}; JSON.stringify(o);",
        "to_json_nested": "var a = []; for (var i = 0; i < 20000; i++) a = {a: a, toJSON: function () { return this.a; }}; JSON.stringify(a, null, 2);",
        "lingate_decode": "lingate.json.decode('['.repeat(1000000));",
        "lingate_encode": "var a = []; for (var i = 0; i < 20000; i++) a = [a]; lingate.json.encode(a);",
        "regex": "new RegExp('('.repeat(100000));",
        "eval": "eval('('.repeat(100000));",
        "array_text": "var a = []; for (var i = 0; i < 20000; i++) a = [a]; String(a);",
    },
}

ERRORS = {
    "lua": {
        "huge_message": "error(string.rep('x', 1e8))",
        "not_utf8": "error('\\255\\254 \\237\\160\\128 \\0 \"')",
        "table": "local t = {} t.t = t error(t)",
        "nothing": "error()",
        "null": "error(lingate.null)",
        "function": "error(print)",
        "text_fails": "error(setmetatable({}, {__tostring = function() error('again') end}))",
        "text_is_a_number": "error(setmetatable({}, {__tostring = function() return 5 end}))",
        "handler_fails": "local ok, e = xpcall(error, function() error('again') end) error(e)",
        "in_a_coroutine": "coroutine.wrap(function() error('inside') end)()",
        "newlines": "error(string.rep('a\\r\\n{\"code\":\"LG0000\"}', 1000))",
        "request": "error(req)",
    },
    "python": {
        "huge_message": "raise ValueError('x' * 10**8)",
        "not_utf8": "raise ValueError('\\udcff\\udcfe \\ud800 \\0 \"')",
        "bytes": "raise ValueError(b'\\xff' * 10**6)",
        "cycle": "e = ValueError()\ne.args = (e,)\nraise e",
        "cause_cycle": "a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a",
        "none": "raise None",
        "text_fails": "class Odd(Exception):\n    def __str__(self): raise Odd()\nraise Odd()",
        "text_is_a_number": "class Odd(Exception):\n    def __str__(self): return 5\nraise Odd()",
        "name_fails": "class Meta(type):\n    @property\n    def __name__(cls): raise KeyError\nclass Odd(Exception, metaclass=Meta): pass\nraise Odd('odd')",
        "handler_fails": "try: 1 / 0\nexcept ZeroDivisionError: raise ValueError('again')",
        "finally_fails": "try: 1 / 0\nfinally: raise ValueError('again')",
        "system_exit": "raise SystemExit(5)",
        "interrupt": "raise KeyboardInterrupt",
        "generator_exit": "raise GeneratorExit",
        "group": "raise ExceptionGroup('many', [ValueError(str(i)) for i in range(10000)])",
        "newlines": "raise ValueError('a\\r\\n{\"code\":\"LG0000\"}' * 1000)",
    },
    "js": {
        "huge_message": "throw new Error('x'.repeat(100000000));",
        "huge_text": "throw 'x'.repeat(100000000);",
        "not_utf8": "throw new Error('\\ud800 \\udfff \\u0000 \"');",
        "bytes": "throw new Uint8Array([255, 254, 0]);",
        "cycle": "var e = {}; e.e = e; throw e;",
        "null": "throw null;",
        "undefined": "throw undefined;",
        "number": "throw 0 / 0;",
        "message_fails": "throw {get message() { throw new Error('again'); }};",
        "text_fails": "throw {toString: function () { throw new Error('again'); }};",
        "stack_fails": "var e = new Error('odd'); Object.defineProperty(e, 'stack', {get: function () { throw e; }}); throw e;",
        "finally_fails": "try { null.x; } finally { throw new Error('again'); }",
        "proxy": "throw new Proxy({}, {get: function () { throw new Error('again'); }});",
        "newlines": "throw new Error('a\\r\\n{\"code\":\"LG0000\"}'.repeat(1000));",
    },
}

# They end by themselves, so that what waits for the interpreter is served afterwards.
HOLDS = {
    "python": {
        "sleep": "import time\ntime.sleep(1)",
        "lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire(timeout=1)",
        "select": "import select\nselect.select([], [], [], 1)",
        "regex": "import re\nre.match('(a+)+$', 'a' * 22 + 'b')",
        "bigint": "3 ** 20000000",
        "any": "import itertools\nany(itertools.repeat(0, 3 * 10**7))",
        "digest": "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'x', b'y', 500000)",
    },
}
# They do not, or they end the process.
HOLDS_FOR_EVER = {
    "python": {
        "sleep": "import time\ntime.sleep(10**6)",
        "lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
        "event": "import threading\nthreading.Event().wait()",
        "regex": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
        "bigint": "10 ** 10 ** 8",
        "all": "import itertools\nall(itertools.repeat(1))",
        "spin_in_c": "import ctypes\nctypes.CDLL(None).qsort(ctypes.create_string_buffer(10**8), 10**8, 1, ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda a, b: 0))",
        "signals_blocked": "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(10**6)",
    },
}
KILLED = {
    "python": {
        "exit": "import os\nos._exit(3)",
        "exit_well": "import os\nos._exit(0)",
        "abort": "import os\nos.abort()",
        "bad_pointer": "import ctypes\nctypes.string_at(8)",
        "bad_write": "import ctypes\nctypes.memset(id(None), 255, 64)\nctypes.memset(8, 0, 8)",
        "stack": "import ctypes\nctypes.CDLL(None).regcomp(ctypes.create_string_buffer(512), b'(' * 10**6, 1)",
        "memory": "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n"
                  "libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]\n"
                  "while True: libc.memset(libc.malloc(64 << 20), 1, 64 << 20)",
        "bad_jump": "import ctypes\nctypes.CFUNCTYPE(None)(8)()",
        "close_all": "import os\nos.closerange(0, 1000)\nos._exit(1)",
    },
}
