"""The lingate module."""
from case import case


def answer(name, says, lua, python, js, reply, **parts):
    """A case that answers with the JSON of one expression."""
    case(name, says, lua=f"function M.request() return lingate.respond(200, {{v = {lua}}}) end",
         python=f'def request(): return lingate.respond(200, {{"v": {python}}})',
         js=f"exports.request = function () {{ return lingate.respond(200, {{v: {js}}}); }};", reply={"v": reply}, forwarded=False, **parts)


answer("module.now_is_unix_time", "now() (Unix seconds, a double)",
       "lingate.now() > 1.7e9 and lingate.now() < 1e11", "1.7e9 < lingate.now() < 1e11", "lingate.now() > 1.7e9 && lingate.now() < 1e11", True)
answer("module.json_encodes", "json",
       'lingate.json.encode({a = {1, 2.5, lingate.null}})', 'lingate.json.encode({"a": [1, 2.5, None]})',
       "lingate.json.encode({a: [1, 2.5, null]})", '{"a":[1,2.5,null]}')
answer("module.json_decodes", "json",
       'lingate.json.decode(\'{"a":[1,{"b":"\\\\u00e9"}],"n":null}\').a[2].b', 'lingate.json.decode(\'{"a":[1,{"b":"\\\\u00e9"}],"n":null}\')["a"][1]["b"]',
       'lingate.json.decode(\'{"a":[1,{"b":"\\\\u00e9"}],"n":null}\').a[1].b', "é")
answer("module.json_round_trips_null_and_empty", "null, array",
       'lingate.json.encode(lingate.json.decode(\'{"a":[],"b":null}\').a) .. tostring(lingate.json.decode("[null]")[1] == lingate.null)',
       'lingate.json.encode(lingate.json.decode(\'{"a":[],"b":null}\')["a"]) + str(lingate.json.decode("[null]")[0] is lingate.null).lower()',
       'lingate.json.encode(lingate.json.decode(\'{"a":[],"b":null}\').a) + String(lingate.json.decode("[null]")[0] === lingate.null)', "[]true")
answer("module.base64_encodes", "base64", 'lingate.base64.encode("a?>~")', 'lingate.base64.encode("a?>~")', 'lingate.base64.encode("a?>~")', "YT8+fg==")
answer("module.base64_has_the_url_alphabet", "base64", 'lingate.base64.encode("a?>~", "url")', 'lingate.base64.encode("a?>~", "url")',
       'lingate.base64.encode("a?>~", "url")', "YT8-fg")
answer("module.base64_decodes_to_bytes", "base64", '#lingate.base64.decode("/wA=")', 'len(lingate.base64.decode("/wA="))',
       'lingate.base64.decode("/wA=").length', 2)
answer("module.sha256_is_hex", "crypto (sha256)", 'lingate.crypto.sha256("abc")', 'lingate.crypto.sha256("abc")', 'lingate.crypto.sha256("abc")',
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
answer("module.hmac_is_hmac_sha256", "crypto (hmac)", 'lingate.crypto.hmac("key", "The quick brown fox jumps over the lazy dog")',
       'lingate.crypto.hmac("key", "The quick brown fox jumps over the lazy dog")', 'lingate.crypto.hmac("key", "The quick brown fox jumps over the lazy dog")',
       "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
answer("module.equal_compares", "crypto (equal in constant time)", '{lingate.crypto.equal("ab", "ab"), lingate.crypto.equal("ab", "ac"), lingate.crypto.equal("a", "ab")}',
       '[lingate.crypto.equal("ab", "ab"), lingate.crypto.equal("ab", "ac"), lingate.crypto.equal("a", "ab")]',
       '[lingate.crypto.equal("ab", "ab"), lingate.crypto.equal("ab", "ac"), lingate.crypto.equal("a", "ab")]', [True, False, False])
answer("module.random_gives_bytes", "crypto (random)", '#lingate.crypto.random(16)', 'len(lingate.crypto.random(16))', 'lingate.crypto.random(16).length', 16)
answer("module.random_is_not_the_same_twice", "crypto (random)", 'lingate.crypto.random(16) ~= lingate.crypto.random(16)',
       'lingate.crypto.random(16) != lingate.crypto.random(16)',
       'lingate.base64.encode(lingate.crypto.random(16)) !== lingate.base64.encode(lingate.crypto.random(16))', True)
answer("module.query_parses", "query.parse", 'lingate.query.parse("a=1&b=x+y%21&a=2&c")', 'lingate.query.parse("a=1&b=x+y%21&a=2&c")',
       'lingate.query.parse("a=1&b=x+y%21&a=2&c")', {"a": ["1", "2"], "b": "x y!", "c": ""})
answer("module.query_builds", "query.build", 'lingate.query.build({a = {"1", "x y"}})', 'lingate.query.build({"a": ["1", "x y"]})',
       'lingate.query.build({a: ["1", "x y"]})', "a=1&a=x+y")

case("module.log_writes_with_level_and_fields", "log.debug|info|warn|error(message, fields)",
     lua='function M.request() lingate.log.warn("a warning", {n = 1}) end', python='def request(): lingate.log.warn("a warning", {"n": 1})',
     js='exports.request = function () { lingate.log.warn("a warning", {n: 1}); };', log=['a warning'])

case("module.log_takes_256_lines_of_a_call", "A call may log 256 lines; the next says that the rest is dropped",
     lua='function M.request() for n = 1, 1000 do lingate.log.info("line " .. n) end end',
     python='def request():\n    for n in range(1, 1001): lingate.log.info("line %d" % n)',
     js='exports.request = function () { for (var n = 1; n <= 1000; n++) lingate.log.info("line " + n); };', options="budget: 2s",
     log=['"line 256"', "has logged 256 lines in this call"], not_in_log=['"line 257"'])

case("module.print_and_console_go_to_the_log", "print and console go there too",
     lua='function M.request() print("printed", 1) end', python='def request(): print("printed", 1)',
     js='exports.request = function () { console.log("printed", 1); };', log=["printed"])
