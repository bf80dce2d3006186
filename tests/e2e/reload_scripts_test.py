#!/usr/bin/env python3
"""Scripts and their instances when the configuration changes: kept where nothing of them did, fresh where something
did, and nothing left of those that are over."""
import os
import signal
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.reloaded import Reloaded, config, text_route  # noqa: E402
from support.wire import Stream, connect, request_bytes  # noqa: E402

# The script hangs for 40 s; a sanitizer takes its time to look for leaks.
MOST_TO_END = 20 if os.environ.get("LINGATE_SANITIZE") else 2
COUNT = {
    "count.lua": "local n = 0\nreturn {request = function() n = n + 1; return lingate.respond(200, 'lua' .. n) end}\n",
    "count.py": "import lingate\nn = 0\ndef request(req, ctx):\n    global n\n    n += 1\n"
                "    return lingate.respond(200, 'python%d' % n)\n",
    "count.js": "var lingate = require('lingate'), n = 0;\n"
                "exports.request = function () { n++; return lingate.respond(200, 'js' + n); };\n",
}


class Scripts(unittest.TestCase):
    @staticmethod
    def routes(isolation, chain_options=""):
        return "".join(
            f"  - {{name: {name}, match: {{path: /{name}}}, chain: [script: {{file: count.{name}, isolation: {isolation}, "
            f"instances: 1{chain_options}}}], respond: {{status: 500}}}}\n" for name in ("lua", "py", "js"))

    def test_an_instance_whose_script_and_configuration_did_not_change_is_kept(self):
        for isolation in ("inline", "thread", "process"):
            with self.subTest(isolation=isolation):
                one = config(self.routes(isolation)).replace("workers: 2", "workers: 1")
                with Reloaded(one, COUNT) as it:
                    for path, text in (("/lua", "lua1"), ("/py", "python1"), ("/js", "js1")):
                        self.assertEqual(it.get(path), (200, text))
                    it.reload(one + text_route("other", "x"))
                    for path, text in (("/lua", "lua2"), ("/py", "python2"), ("/js", "js2")):
                        self.assertEqual(it.get(path), (200, text))
                    for name, text in COUNT.items():
                        it.write(text.replace("'", '"'), name)
                    it.reload()
                    for path, text in (("/lua", "lua1"), ("/py", "python1"), ("/js", "js1")):
                        self.assertEqual(it.get(path), (200, text))
                    it.reload(one.replace("instances: 1", "instances: 1, config: {a: 1}"))
                    for path, text in (("/lua", "lua1"), ("/py", "python1"), ("/js", "js1")):
                        self.assertEqual(it.get(path), (200, text))

    def test_a_required_file_that_changed_makes_a_fresh_instance(self):
        files = {
            "count.lua": "local m = require('helper')\n" + COUNT["count.lua"].replace("'lua' .. n", "m.word .. n"),
            "count.py": "import helper_py\n" + COUNT["count.py"].replace("'python%d' % n", "'%s%d' % (helper_py.word, n)"),
            "count.js": "var m = require('./helper');\n" + COUNT["count.js"].replace("'js' + n", "m.word + n"),
            "helper.lua": "return {word = 'one'}\n", "helper_py.py": "word = 'one'\n", "helper.js": "exports.word = 'one';\n",
        }
        for isolation in ("inline", "thread", "process"):
            with self.subTest(isolation=isolation):
                one = config(self.routes(isolation)).replace("workers: 2", "workers: 1")
                with Reloaded(one, files) as it:
                    ask_all = lambda: [it.get(path)[1] for path in ("/lua", "/py", "/js")]  # noqa: E731
                    self.assertEqual(ask_all(), ["one1"] * 3)
                    for name in ("helper.lua", "helper_py.py", "helper.js"):
                        it.write(files[name].replace("one", "two"), name)
                    self.assertEqual(ask_all(), ["one2"] * 3)
                    it.reload()
                    self.assertEqual(ask_all(), ["two1"] * 3)
                    it.reload()
                    self.assertEqual(ask_all(), ["two2"] * 3)

    def test_a_log_hook_in_flight_ends_on_its_own_configuration(self):
        script = ("return {log = function() lingate.sleep(0.3) lingate.log.info('logged by %s') end}\n")
        for isolation in ("inline", "thread", "process"):
            with self.subTest(isolation=isolation):
                routes = (f"  - {{name: a, match: {{path: /a}}, chain: [script: {{file: log.lua, isolation: {isolation}, "
                          "budget: 5s}], "
                          "respond: {status: 200, text: x}}\n")
                with Reloaded(config(routes), {"log.lua": script % "old"}) as it:
                    self.assertEqual(it.get("/a"), (200, "x"))
                    it.write(script % "new", "log.lua")
                    it.reload()
                    self.assertEqual(it.get("/a"), (200, "x"))
                    it.gateway.wait_log("logged by old")
                    it.gateway.wait_log("logged by new")

    def test_what_is_over_leaves_no_thread_no_process_and_no_descriptor(self):
        routes = self.routes("thread") + self.routes("process").replace("name: ", "name: p_").replace("path: /", "path: /p_")
        with Reloaded(config(routes), COUNT) as it:
            proc = Path(f"/proc/{it.gateway.pid}")

            def held():
                children = sum(len(t.read_text().split()) for t in proc.glob("task/*/children"))
                return len(list(proc.glob("task/*"))), children, len(list(proc.glob("fd/*")))

            def ask_all():
                for path in ("/lua", "/py", "/js", "/p_lua", "/p_py", "/p_js"):
                    self.assertEqual(it.get(path)[0], 200)

            ask_all()
            it.reload()
            ask_all()
            before = held()
            for turn in range(5):
                for name, text in COUNT.items():
                    it.write(text + {"lua": "--", "py": "#", "js": "//"}[name.rpartition(".")[2]] + f" {turn}\n", name)
                it.reload()
                ask_all()
            it.gateway.wait_for(lambda: all(a <= b for a, b in zip(held(), before)), f"return to {before}, but {held()}")


class Hanging(unittest.TestCase):
    def test_an_init_that_nothing_can_stop_holds_up_no_end(self):
        hang = ("import time\ndef init(config):\n    open(%r, 'w').close()\n    time.sleep(40)\n"
                "def request(req, ctx):\n    pass\n")
        for isolation in ("thread", "process"):
            with self.subTest(isolation=isolation), Reloaded(config(text_route("a", "x"))) as it:
                begun = it.gateway.dir / "begun"
                it.write(hang % str(begun), "hang.py")
                grant = f", grant: {{write: [{it.gateway.dir}]}}" if isolation == "process" else ""
                it.write(config(f"  - {{name: a, match: {{path: /a}}, chain: [script: {{file: hang.py, isolation: {isolation}"
                                f"{grant}}}], respond: {{status: 200}}}}\n"))
                it.gateway.signal(signal.SIGHUP)
                it.gateway.wait_for(begun.exists, "script that loads")
                self.assertEqual(it.get("/a"), (200, "x"))
                asked = time.monotonic()
                it.gateway.signal(signal.SIGTERM)
                self.assertEqual(it.gateway.wait(), 0)
                self.assertLess(time.monotonic() - asked, MOST_TO_END)


class UnderLoad(unittest.TestCase):
    def test_no_request_fails_and_each_sees_one_generation(self):
        def text(turn):
            chain = (f"chain: [headers: {{response: {{set: {{X-Turn: '{turn}'}}}}}}, script: {{file: turn.lua, config: {turn}}}, "
                     f"script: {{file: turn.py, config: {turn}}}, script: {{file: turn.js, config: {turn}}}]")
            return config(f"  - {{name: a, match: {{path: /a}}, {chain}, respond: {{status: 200, text: '{turn}'}}}}\n"
                          + (text_route("odd", "x") if turn % 2 else ""))

        files = {
            "turn.lua": "return {response = function(res) res.headers['X-Lua'] = tostring(lingate.config) end}\n",
            "turn.py": "import lingate\ndef response(res, req, ctx):\n    res.headers['X-Py'] = str(lingate.config)\n",
            "turn.js": "var lingate = require('lingate');\n"
                       "exports.response = function (res) { res.headers['X-Js'] = '' + lingate.config; };\n",
        }
        with Reloaded(text(1), files) as it:
            stop, wrong, served = threading.Event(), [], [0] * 4

            def drive(k):
                sock = connect(it.gateway.port)
                stream = Stream(sock)
                while not stop.is_set():
                    sock.sendall(request_bytes(target="/a"))
                    response = stream.response()
                    seen = {response.body.decode(), *(response.value(name) for name in ("X-Turn", "X-Lua", "X-Py", "X-Js"))}
                    if response.status != 200 or len(seen) != 1:
                        wrong.append((response.status, seen))
                    served[k] += 1
                sock.close()

            drivers = [threading.Thread(target=drive, args=(k,)) for k in range(len(served))]
            for each in drivers:
                each.start()
            for turn in range(2, 32):
                it.reload(text(turn))
            stop.set()
            for each in drivers:
                each.join()
            self.assertEqual(wrong[:3], [])
            self.assertGreater(min(served), 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
