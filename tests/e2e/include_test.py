#!/usr/bin/env python3
"""A configuration of several files: run, checked, asked, watched, replaced and taken back as one."""
import json
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.gateway import run_cli  # noqa: E402
from support.reloaded import Reloaded, config, text_route  # noqa: E402

TOP = "admin: {address: 127.0.0.1:0}\ninclude: conf.d/*.yaml\n"
MAIN = config(text_route("main", "main"), TOP)
UPSTREAM = "upstreams:\n  dead: {targets: ['http://127.0.0.1:9']}\n"


def routes(*pairs):
    return "routes:\n" + "".join(text_route(name, text) for name, text in pairs)


class Include(unittest.TestCase):
    def put(self, admin, text, query=""):
        headers = {"Authorization": "Bearer " + admin.token, "If-Match": "*", "Content-Type": "application/yaml"}
        status, _, body = admin.raw("PUT", "/config" + query, text, headers)
        return status, json.loads(body)

    def test_check_and_route_see_all_files(self):
        files = {"gw.yaml": "version: 1\nlisten: 127.0.0.1:0\ninclude: [up.yaml, conf.d/*.yaml]\n",
                 "up.yaml": UPSTREAM,
                 "conf.d/a.yaml": "routes:\n  - {name: a, match: {path: '/a/*'}, upstream: dead}\n"}
        self.assertEqual(run_cli("check", "gw.yaml", files=files)[:2], (0, "gw.yaml: ok (1 route, 1 upstream)\n"))
        code, out, _ = run_cli("route", "GET", "http://x/a/1", "-c", "gw.yaml", "--expect", "a", files=files)
        self.assertEqual(code, 0, out)
        self.assertIn("conf.d/a.yaml:2:5", out)
        files["conf.d/b.yaml"] = "upstreams: {dead: {targets: ['http://127.0.0.1:8']}}\nroutes: [{mach: 1}]\n"
        code, out, _ = run_cli("check", "gw.yaml", files=files)
        self.assertEqual(code, 3)
        self.assertRegex(out, r"(?s)^conf.d/b.yaml:1:13: error\[LG2011\]: upstream 'dead' is defined twice.*"
                              r"up.yaml:2:3: note: first defined here.*conf.d/b.yaml:2:11: error\[LG2001\]: unknown key 'mach'")

    def test_a_reload_follows_any_of_them_and_refuses_with_the_place(self):
        with Reloaded(MAIN, {"conf.d/a.yaml": routes(("a", "old"))}) as it:
            self.assertEqual((it.get("/main"), it.get("/a")), ((200, "main"), (200, "old")))
            it.write(routes(("a", "new")), "conf.d/a.yaml")
            it.write(routes(("b", "more")), "conf.d/b.yaml")
            it.reload()
            self.assertEqual((it.get("/a"), it.get("/b")), ((200, "new"), (200, "more")))
            it.write(routes(("c", "x")) + "rotes: 1\n", "conf.d/c.yaml")
            status, told = Admin(it.gateway).ask("POST", "/config/reload")
            self.assertEqual((status, told["code"]), (422, "LG5211"))
            self.assertRegex(told["detail"], r"/conf\.d/c\.yaml:3:1: unknown key 'rotes'")
            self.assertEqual((it.get("/a"), it.get("/c")[0]), ((200, "new"), 404))
            (it.gateway.dir / "conf.d/c.yaml").unlink()
            (it.gateway.dir / "conf.d/a.yaml").unlink()
            it.reload()
            self.assertEqual((it.get("/a")[0], it.get("/b")), (404, (200, "more")))

    def test_watch_follows_changes_of_included_files_new_ones_and_mended_ones(self):
        with Reloaded(MAIN, {"conf.d/a.yaml": routes(("a", "old")), "conf.d/notes.txt": ""}, ["--watch"]) as it:
            it.write(routes(("a", "new")), "conf.d/a.yaml")
            it.follow()
            self.assertEqual(it.get("/a"), (200, "new"))
            it.write(routes(("b", "born")), "conf.d/b.yaml")
            it.follow()
            self.assertEqual(it.get("/b"), (200, "born"))
            it.write("include: elsewhere/far.yaml\n", "conf.d/c.yaml")
            it.gateway.wait_log("is not applied.*there is no file 'elsewhere/far.yaml'")
            (it.gateway.dir / "conf.d/elsewhere").mkdir()
            it.write("far: wrong\n", "conf.d/elsewhere/far.yaml")  # its folder was not there to be watched
            it.write("include: elsewhere/far.yaml\n#\n", "conf.d/c.yaml")
            it.gateway.wait_log("is not applied.*unknown key 'far'")
            it.write(routes(("far", "away")), "conf.d/elsewhere/far.yaml")
            it.follow()
            self.assertEqual(it.get("/far"), (200, "away"))
            (it.gateway.dir / "conf.d/b.yaml").unlink()
            it.follow()
            self.assertEqual(it.get("/b")[0], 404)

    def test_watch_sees_folders_that_are_replaced_moved_and_come_later(self):
        def link(folder):
            (folder / "next").symlink_to("r2")
            (folder / "next").rename(folder / "link")

        def move(folder):
            (folder / "real").rename(folder / "old")
            (folder / "r2").rename(folder / "real")

        def make_again(folder):
            shutil.rmtree(folder / "real")
            shutil.copytree(folder / "r2", folder / "real")

        def come(folder):
            (folder / "deep").mkdir()
            shutil.copytree(folder / "r2", folder / "deep/later")

        for pattern, change, before in (("link/*.yaml", link, "one"), ("link/a.yaml", link, "one"), ("real/*.yaml", move, "one"),
                                        ("real/a.yaml", make_again, "one"), ("real/*.yaml", make_again, "one"),
                                        ("deep/later/*.yaml", come, None)):
            with self.subTest(pattern=pattern, change=change.__name__):
                files = {"r1/a.yaml": routes(("a", "one")), "real/a.yaml": routes(("a", "one")), "r2/a.yaml": routes(("a", "two"))}
                it = Reloaded(config(text_route("main", "main"), f"include: {pattern}\n"), files, ["--watch"])
                folder = it.gateway.dir
                (folder / "link").symlink_to("r1")
                with it:
                    says = lambda text: it.gateway.wait_for(lambda: it.get("/a")[1] == text, text)  # noqa: E731,B023
                    if before:
                        says(before)
                    change(folder)
                    says("two")
                    it.write(routes(("a", "three")), pattern.replace("*", "a"))
                    says("three")

    def test_what_runs_is_shown_and_compared_file_by_file(self):
        secret = "x-note: {password: hunter2}\n"
        with Reloaded(MAIN, {"conf.d/a.yaml": secret + routes(("a", "old")), "conf.d/b.yaml": ""}) as it:
            where = ["-c", str(it.gateway.dir / "gateway.yaml"), "--admin", f"127.0.0.1:{it.gateway.admin_port}"]
            code, shown, _ = run_cli("config", "show", *where)
            self.assertEqual(code, 0)
            self.assertRegex(shown, r"(?s)^version: 1\n.*\n# ---- .*/conf\.d/a\.yaml ----\nx-note.*'old'.*# ---- .*/b\.yaml")
            self.assertNotIn("hunter2", shown)
            self.assertEqual(run_cli("config", "diff", *where)[:2], (0, "the file is what runs\n"))
            it.write(secret + routes(("a", "new")), "conf.d/a.yaml")
            it.write(routes(("c", "fresh")), "conf.d/c.yaml")
            (it.gateway.dir / "conf.d/b.yaml").write_text("# no more\n")
            code, shown, _ = run_cli("config", "diff", *where)
            self.assertEqual(code, 4)
            self.assertRegex(shown, r"(?s)\+\+\+ .*/a\.yaml\n.*-.*'old'.*\+.*'new'.*\+\+\+ .*/b\.yaml.*\+# no more"
                                    r".*\+\+\+ .*/c\.yaml.*\+.*'fresh'")
            self.assertNotIn("hunter2", shown)

    def test_a_put_replaces_the_first_file_and_its_includes_are_relative_to_it(self):
        with Reloaded(MAIN, {"conf.d/a.yaml": routes(("a", "a"))}) as it:
            admin = Admin(it.gateway)
            status, told = self.put(admin, MAIN.replace("'main'", "'changed'"))
            self.assertEqual(status, 200, told)
            self.assertEqual((it.get("/main"), it.get("/a")), ((200, "changed"), (200, "a")))
            self.assertIn("'changed'", (it.gateway.dir / "gateway.yaml").read_text())
            shown = admin.ask("GET", "/config")[1]
            self.assertEqual([Path(each["path"]).name for each in shown["included"]], ["a.yaml"])
            status, told = self.put(admin, MAIN.replace("conf.d/*", "none"))
            self.assertEqual((status, told["code"]), (422, "LG5211"))
            self.assertIn("there is no file 'none.yaml'", told["detail"])
            (it.gateway.dir / "conf.d/b.yaml").write_text("include: ../*.yaml\n")  # of which one is what is checked
            findings = admin.raw("POST", "/config/validate", MAIN, {"Authorization": "Bearer " + admin.token,
                                                                   "Content-Type": "application/yaml"})
            self.assertTrue(json.loads(findings[2])["ok"], findings)

    def test_a_rollback_brings_all_files_back(self):
        with Reloaded(MAIN, {"conf.d/a.yaml": routes(("a", "first"))}) as it:
            admin, folder = Admin(it.gateway), it.gateway.dir / "conf.d"
            it.write(routes(("a", "second")), "conf.d/a.yaml")
            it.reload()
            self.assertEqual(it.get("/a"), (200, "second"))
            self.assertEqual(admin.ask("POST", "/config/rollback", {"generation": 1})[0], 200)
            self.assertEqual(it.get("/a"), (200, "first"))
            self.assertEqual((folder / "a.yaml").read_text(), routes(("a", "first")))
            it.generation = 3
            it.reload()
            self.assertEqual(it.get("/a"), (200, "first"))

            # An edit that nobody has loaded yet, and a file that was not there then.
            (folder / "a.yaml").write_text(routes(("a", "edited")))
            status, told = admin.ask("POST", "/config/rollback", {"generation": 2})
            self.assertEqual((status, told["code"], Path(told["detail"]).name), (409, "LG5214", "a.yaml"))
            it.reload()
            (folder / "b.yaml").write_text(routes(("b", "stranger")))
            status, told = admin.ask("POST", "/config/rollback", {"generation": 1})
            self.assertEqual((status, told["code"]), (409, "LG5215"))
            self.assertIn("b.yaml would be included as well", told["detail"])
            self.assertEqual(it.get("/a"), (200, "edited"))
            self.assertEqual(admin.ask("POST", "/config/rollback?save=false", {"generation": 1})[0], 200)
            self.assertEqual((it.get("/a"), it.get("/b")[0]), ((200, "first"), 404))
            self.assertEqual((folder / "a.yaml").read_text(), routes(("a", "edited")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
