"""Scripts that try to get out of their box, by language: each answers "got out" where it did and goes on otherwise.

    ESCAPES["js"]["function_constructor"]   Lua and JavaScript, in every placement
    DENIED["python"]["connect"]             what a worker process may not do
"""

# Python in the gateway's own process is trusted, so these are not asked of it.
_LUA_ESCAPES = {
    "io": "return io",
    "os": "return os.execute or os.exit or os.getenv or os.remove or os.rename or os.tmpname or os.setlocale",
    "debug": "return debug",
    "package": "return package",
    "jit": "return jit",
    "ffi": "return require('ffi')",
    "files": "return dofile or loadfile",
    "environments": "return getfenv or setfenv or module",
    "newproxy": "return newproxy or collectgarbage",
    "dump": "return string.dump",
    "bytecode": "return load('\\27LJ\\2\\0', 'x', 'b') or loadstring('\\27LJ\\2\\0')",
    "load_with_all": "return load('return io or debug or package or jit')()",
    "require_absolute": "return require('/etc/passwd')",
    "require_above": "return require('../gateway') or require('..gateway')",
    "string_metatable": "getmetatable('').__index = {upper = function() return 'evil' end} return ('x'):upper() == 'evil'",
    "string_methods": "string.upper = function() return 'evil' end return ('x'):upper() == 'evil'",
    "rawset_library": "rawset(string, 'upper', function() return 'evil' end) return ('x'):upper() == 'evil'",
    "rawset_lingate": "rawset(lingate, 'respond', print) return lingate.respond == print",
    "lingate": "lingate.respond = print return lingate.respond == print",
    "insert_library": "table.insert(string, 'evil') return string[1]",
    "global": "leaked = 1 return leaked",
    "global_of_the_host": "tostring = function() return 'evil' end return tostring(1) == 'evil'",
    "global_set_raw": "rawset(_G, 'leaked', 1) return leaked",
    "global_inserted": "table.insert(_G, 'evil') return _G[1]",
    "global_by_load": "load('leaked = 1')() return leaked",
    "global_metatable": "setmetatable(_G, {__newindex = rawset}) leaked = 1 return leaked",
    "request_metatable": "return type(getmetatable(req)) == 'table'",
    "headers_metatable": "return type(getmetatable(req.headers)) == 'table'",
    "setmetatable_of_request": "return setmetatable(req, {})",
    "rawset_of_request": "rawset(req, 'path', '/evil') return req.path == '/evil'",
    "nil_metatable": "return getmetatable(nil) or getmetatable(1) or getmetatable(print)",
    "coroutine_of_the_host": "return coroutine.running() and coroutine.resume(coroutine.running())",
}
_JS_ESCAPES = {
    "process": "return typeof process !== 'undefined';",
    "engine": "return typeof Duktape !== 'undefined';",
    "require": "return require('fs');",
    "require_absolute": "return require('/etc/passwd');",
    "require_above": "return require('../gateway') || require('./../../etc/passwd');",
    "function_constructor": "return Function('return typeof process !== \"undefined\" || typeof Duktape !== \"undefined\"')();",
    "request_constructor": "return req.constructor.constructor('return typeof Duktape !== \"undefined\"')();",
    "object_prototype": "Object.prototype.polluted = 1; return ({}).polluted;",
    "define_on_prototype": "Object.defineProperty(Object.prototype, 'polluted', {value: 1}); return ({}).polluted;",
    "prototype_of_request": "Object.getPrototypeOf(req).polluted = 1; return ({}).polluted || req.polluted;",
    "prototype_of_headers": "req.headers.__proto__.polluted = 1; return ({}).polluted;",
    "prototype_of_context": "ctx.__proto__.polluted = 1; return ({}).polluted;",
    "prototype_by_json": "JSON.parse('{\"__proto__\": {\"polluted\": 1}}'); return ({}).polluted;",
    "prototype_by_decode": "lingate.json.decode('{\"__proto__\": {\"polluted\": 1}}'); return ({}).polluted;",
    "prototype_of_prototype": "Object.setPrototypeOf(Object.prototype, {polluted: 1}); return ({}).polluted;",
    "array_push": "Array.prototype.push = function () { return 'evil'; }; return [].push(1) === 'evil';",
    "function_call": "Function.prototype.call = function () { return 'evil'; }; return Object.prototype.toString.call(1) === 'evil';",
    "json": "JSON.stringify = function () { return 'evil'; }; return JSON.stringify(1) === 'evil';",
    "lingate": "lingate.respond = null; return lingate.respond === null;",
    "lingate_crypto": "lingate.crypto.equal = function () { return true; }; return lingate.crypto.equal('a', 'b');",
    "global": "Function('return this')().leaked = 1; return Function('return typeof leaked')() !== 'undefined';",
    "host_getter": "Object.defineProperty(req, 'path', {get: function () { return '/evil'; }}); return req.path === '/evil';",
    "date_prototype": "Date.prototype.setTime(1); return Date.prototype.getTime() === 1;",
    "require_itself": "require.kept = 1; return require.kept === 1;",
    "error_prepare": "Error.prototype.toString = function () { return 'evil'; }; return String(new Error('x')) === 'evil';",
    "caller": "return (function f() { return f.caller; })();",
    "thread": "return typeof Thread !== 'undefined' || typeof Worker !== 'undefined' || typeof SharedArrayBuffer !== 'undefined';",
}
# What a worker process may not do: each is true where it could.
_DENIED = {
    "write": "return open('/tmp/lingate-made-by-a-worker', 'w')",
    "write_beside_the_script": "return open(__file__, 'a')",
    "unlink": "import os\nos.unlink('/tmp/lingate-that-is-not-there')\nreturn True",
    "rename": "import os\nos.rename('/tmp/lingate-a', '/tmp/lingate-b')\nreturn True",
    "make_folder": "import os\nos.mkdir('/tmp/lingate-made-by-a-worker')\nreturn True",
    "link": "import os\nos.symlink('/etc/passwd', '/tmp/lingate-made-by-a-worker')\nreturn True",
    "mode": "import os\nos.chmod('/tmp', 0o777)\nreturn True",
    "connect": "import socket\nreturn socket.create_connection(('127.0.0.1', 9))",
    "listen": "import socket\nreturn socket.create_server(('127.0.0.1', 0))",
    "unix_socket": "import socket\nreturn socket.socket(socket.AF_UNIX)",
    "fork": "import os\nreturn os.fork() or os._exit(0)",
    "spawn": "import subprocess\nreturn subprocess.run(['/bin/true'])",
    "execute": "import os\nos.execv('/bin/true', ['true'])",
    "kill_the_gateway": "import os, signal\nos.kill(os.getppid(), signal.SIGTERM)\nreturn True",
    "kill_all": "import os\nos.kill(-1, 0)\nreturn True",
    "stop_itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nreturn True",
    "kill_itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nreturn True",
    "limits": "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\nreturn True",
    "user": "import os\nos.setuid(12345)\nreturn True",
    "trace": "import ctypes, os\nreturn ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0",
    "memory_of_the_gateway": "import ctypes, os\nclass Part(ctypes.Structure): _fields_ = [('at', ctypes.c_void_p), ('size', ctypes.c_size_t)]\n"
                             "mine = ctypes.create_string_buffer(8)\na, b = Part(ctypes.addressof(mine), 8), Part(id(None), 8)\n"
                             "return ctypes.CDLL(None).process_vm_readv(os.getppid(), ctypes.byref(a), 1, ctypes.byref(b), 1, 0) > 0",
    "shared_memory_of_no_file": "import mmap\nreturn mmap.mmap(-1, 1 << 20)",
    "shared_zeros": "import mmap, os\nreturn mmap.mmap(os.open('/dev/zero', os.O_RDONLY), 1 << 20, prot=mmap.PROT_READ)",
    "memory_that_grows_downwards": "import mmap\nreturn mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100)",
    "file_of_memory": "import os\nreturn os.memfd_create('more')",
    "log_of_the_gateway": "import os\nreturn not os.path.samestat(os.fstat(2), os.stat('/dev/null')) or not os.path.samestat(os.fstat(1), os.stat('/dev/null'))",
    "input_of_the_gateway": "import os\nreturn not os.path.samestat(os.fstat(0), os.stat('/dev/null'))",
    "sockets_of_the_machine": "return open('/proc/self/net/tcp').read()",
    "mounts_of_the_machine": "return open('/proc/self/mountinfo').read()",
    "mount": "import ctypes\nreturn ctypes.CDLL(None).mount(b'none', b'/mnt', b'tmpfs', 0, None) == 0",
    "new_namespace": "import ctypes\nreturn ctypes.CDLL(None).unshare(0x10000000) == 0",
}


def _attempt_lua(body):
    return f'local ok, out = pcall(function() {body} end) if ok and out then return lingate.respond(200, "got out") end'


def _attempt_js(body):
    return f'var out; try {{ out = (function () {{ {body} }})(); }} catch (e) {{}} if (out) return lingate.respond(200, "got out");'


def _attempt_python(body):
    indented = body.replace("\n", "\n    ")
    return f'def attempt():\n    {indented}\ntry: out = attempt()\nexcept Exception: out = None\nif out: return lingate.respond(200, "got out")'


ESCAPES = {
    "lua": {name: _attempt_lua(body) for name, body in _LUA_ESCAPES.items()},
    "python": {},
    "js": {name: _attempt_js(body) for name, body in _JS_ESCAPES.items()},
}
DENIED = {"python": {name: _attempt_python(body) for name, body in _DENIED.items()}}
