#!/usr/bin/env python3
"""The OpenAPI document of the admin API against the API: every operation of it is asked here, and has to be; what it
answers is what the document says; and nothing is served that the document does not have."""
import copy
import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.openapi import METHODS, check, problems_of  # noqa: E402

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
admin: {address: 127.0.0.1:0}
include: more/*.yaml
upstreams:
  users: {targets: ["http://127.0.0.1:1", "unix:users.sock"]}
routes:
  - {name: hello, match: {path: /hello}, chain: [request-id, script: {file: hello.lua}], respond: {status: 200}}
  - {name: users, match: {path: "/users/*"}, upstream: users}
"""
FILES = {"hello.lua": "return {request = function(req, ctx) end}\n",
         "more/moved.yaml": "routes:\n  - {name: moved, match: {path: /old}, redirect: /new}\n"}
YAML = "application/yaml"

# operationId: (values of path and query, body, its kind, status), in an order in which each finds what it needs. An
# operation that is not here fails the test; so does a line for one that there is no more.
EXERCISES = {
    "healthz": ({}, None, None, 200),
    "readyz": ({}, None, None, 200),
    "metrics": ({}, None, None, 200),
    "openapi": ({}, None, None, 200),
    "createKey": ({}, {"id": "ada", "org": "acme", "tags": ["a"], "metadata": {"x": 1}, "rate": 5, "per": 1}, None, 201),
    "listKeys": ({"org": "acme", "tag": "a", "after": "a", "limit": "5"}, None, None, 200),
    "showKey": ({"id": "ada"}, None, None, 200),
    "updateKey": ({"id": "ada"}, {"alias": "x"}, "application/merge-patch+json", 200),
    "rotateKey": ({"id": "ada"}, {"keep_until": 4102444800}, None, 200),
    "revokeKey": ({"id": "ada"}, None, None, 204),
    "listRoutes": ({}, None, None, 200),
    "listUpstreams": ({}, None, None, 200),
    "drainTarget": ({"upstream": "users", "target": "127.0.0.1:1"}, None, None, 200),
    "resumeTarget": ({"upstream": "users", "target": "{folder}%2Fusers.sock"}, None, None, 200),
    "listRuntimes": ({}, None, None, 200),
    "showVersion": ({}, None, None, 200),
    "showConfig": ({}, None, None, 200),
    "validateConfig": ({}, CONFIG, YAML, 200),
    "reloadConfig": ({}, None, None, 200),
    "replaceConfig": ({"save": "false", "If-Match": "*"}, CONFIG, YAML, 200),
    "listHistory": ({}, None, None, 200),
    "rollBackConfig": ({"save": "false"}, {"generation": 1}, None, 200),
    "showLogLevel": ({}, None, None, 200),
    "setLogLevel": ({}, {"level": "info"}, None, 200),
}


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(CONFIG, FILES)
        cls.gateway.start()
        cls.admin = Admin(cls.gateway)
        cls.token = {"Authorization": "Bearer " + cls.admin.token}
        cls.document = json.loads(cls.admin.raw("GET", "/openapi.json")[2])
        cls.operations = {each["operationId"]: (method.upper(), path, each)
                          for path, item in cls.document["paths"].items() for method, each in item.items()}

    @classmethod
    def tearDownClass(cls):
        assert cls.gateway.stop() == 0, cls.gateway.log_text()

    def test_the_document_keeps_the_rules_of_openapi_3_1(self):
        self.assertEqual(problems_of(self.document), [])

    def test_each_rule_is_one_that_can_be_broken(self):
        """The check itself: a document with one thing wrong is found out."""
        def broken(change):
            document = copy.deepcopy(self.document)
            change(document)
            return problems_of(document)

        show = lambda d: d["paths"]["/keys/{id}"]["get"]  # noqa: E731
        for change in (lambda d: d.update(openapi="3.0.3"), lambda d: d["info"].pop("title"), lambda d: d.update(path={}),
                       lambda d: show(d).update(operationId="listKeys"), lambda d: show(d).pop("parameters"),
                       lambda d: show(d)["parameters"][0].update(required=False), lambda d: show(d).update(responses={}),
                       lambda d: show(d)["responses"].update({"2000": {"description": ""}}),
                       lambda d: show(d)["responses"]["200"].pop("description"),
                       lambda d: show(d).update(security=[{"nobody": []}]),
                       lambda d: d["paths"].update({"/keys/{key}": {}}), lambda d: d["paths"]["/keys"].update(fetch={}),
                       lambda d: d["components"]["schemas"].pop("Entry"),
                       lambda d: d["components"]["schemas"]["Page"].update(type="list"),
                       lambda d: d["components"]["schemas"]["Page"].update(required=["pages"]),
                       lambda d: d["components"]["securitySchemes"]["token"].pop("scheme")):
            self.assertNotEqual(broken(change), [])

    def test_every_operation_is_exercised_and_answers_as_the_document_says(self):
        self.assertEqual(set(EXERCISES), set(self.operations), "an operation without a line in EXERCISES, or the reverse")
        for name, (values, body, kind, wanted) in EXERCISES.items():
            with self.subTest(name):
                method, path, operation = self.operations[name]
                target, headers = self.target_of(path, operation, values)
                if operation.get("security") != []:
                    self.assertEqual(self.admin.raw(method, target)[0], 401)
                    headers.update(self.token)
                if body is not None:
                    headers["Content-Type"] = self.check_body(operation, body, kind or "application/json")
                    body = body if isinstance(body, str) else json.dumps(body)
                status, fields, text = self.admin.raw(method, target, body, headers)
                self.assertEqual(status, wanted, text)
                self.check_answer(operation, status, fields, text)

    def test_every_problem_is_one_that_the_document_names(self):
        for method, path, body, status in (("GET", "/keys/nobody", None, 404), ("GET", "/keys?limit=0", None, 400),
                                           ("POST", "/keys", {"aliass": 1}, 422), ("PUT", "/config", {}, 415),
                                           ("POST", "/config/rollback", {"generation": 99}, 404),
                                           ("POST", "/upstreams/users/targets/x/drain", None, 404)):
            with self.subTest(path):
                answer, problem = self.admin.ask(method, path, body)
                self.assertEqual(answer, status, problem)
                operation = next(each for m, p, each in self.operations.values() if m == method and self.fits(p, path))
                described = operation["responses"][str(status)]
                self.assertIn(problem["code"], described["description"])
                schema = described["content"]["application/problem+json"]["schema"]
                self.assertEqual(check(self.document, schema, problem), [])

    def test_nothing_is_served_that_the_document_lacks(self):
        for path in self.document["paths"]:
            target = re.sub(r"\{\w+\}", "x", path)
            has = {method.upper() for p, item in self.document["paths"].items() if self.fits(p, target) for method in item}
            has |= {"HEAD"} if "GET" in has else set()
            for method in {each.upper() for each in METHODS} - has:
                with self.subTest(f"{method} {target}"):
                    status, fields, _ = self.admin.raw(method, target, headers=self.token)
                    self.assertEqual(status, 405)
                    self.assertEqual(set(fields["Allow"].split(", ")), has)
            for other in (target + "/", target + "/x/y", target + "x" * 9, target.upper(), "/" + target, "/v1" + target):
                if any(self.fits(each, other) for each in self.document["paths"]):
                    continue
                with self.subTest(other):
                    self.assertEqual(self.admin.raw("GET", other, headers=self.token)[0], 404)
        for other in ("/", "/debug", "/debug/pprof/", "/admin", "/status", "/config/", "/server-status", "/docs", "/drain"):
            self.assertEqual(self.admin.raw("GET", other, headers=self.token)[0], 404, other)

    @staticmethod
    def fits(template, target):
        return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), target.split("?")[0]) is not None

    def target_of(self, path, operation, values):
        """(the request target, headers): each parameter where the document says that it stands."""
        headers, query, left = {}, [], dict(values)
        for each in operation.get("parameters", []):
            value = left.pop(each["name"]).replace("{folder}", "unix:" + str(self.gateway.dir).replace("/", "%2F"))
            if each["in"] == "path":
                path = path.replace("{%s}" % each["name"], value)
            elif each["in"] == "query":
                query.append(f"{each['name']}={value}")
            else:
                headers[each["name"]] = value
        self.assertEqual(left, {}, "values of parameters that the document does not have")
        return path + ("?" + "&".join(query) if query else ""), headers

    def check_body(self, operation, body, kind):
        schema = operation["requestBody"]["content"][kind]["schema"]
        self.assertEqual(check(self.document, schema, body), [])
        return kind

    def check_answer(self, operation, status, fields, text):
        content = operation["responses"][str(status)].get("content", {})
        if not content:
            return self.assertEqual(text, b"")
        kind = fields["Content-Type"].split(";")[0]
        self.assertIn(kind, content)
        value = json.loads(text) if kind == "application/json" else text.decode()
        self.assertEqual(check(self.document, content[kind]["schema"], value), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
