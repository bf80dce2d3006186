"""A conformance case: one script in every language, one exchange, one outcome.

    case("headers.assignment_replaces_the_first_line_in_place",
         "Assigning a string ... replaces the first such line in place, drops the others",
         lua='function M.request(req) req.headers["x-a"] = "new" end',
         python='def request(req): req.headers["x-a"] = "new"',
         js='exports.request = function (req) { req.headers["x-a"] = "new"; };',
         headers=[("B", "1"), ("X-A", "old"), ("C", "2"), ("X-a", "other")],
         upstream=[("B", "1"), ("x-a", "new"), ("C", "2")])

A script is the text of its hooks: `local M = {}` and `return M` (Lua), `import lingate` (Python) and
`var lingate = require("lingate");` (JavaScript) are put around it. A list of texts is a chain of scripts.
"""
from dataclasses import dataclass, field

LANGUAGES = ("lua", "python", "js")
CASES = []


@dataclass
class Case:
    name: str
    says: str  # the sentence of the contract that it proves
    lua: object
    python: object
    js: object
    # ---- the exchange ----
    method: str = "GET"
    target: str = "/p"
    headers: list = field(default_factory=list)
    body: bytes = None
    origin: bytes = None  # the upstream's raw response; None: 200 with the body "ok"
    path: str = "/*"  # of the route's match
    # ---- the step ----
    options: str = ""  # further options of every script step, as YAML flow ("body: request, on_error: continue")
    config: str = None  # the script's `config`, as YAML flow
    files: dict = field(default_factory=dict)  # modules beside the script: "name" -> text, by language
    # ---- the outcome; what is None is not looked at ----
    status: int = 200
    code: str = None  # LG code of a problem+json response; "" asserts that it is none
    reply: object = None  # body of the response: bytes; or a value, compared as JSON
    reply_headers: dict = None  # name -> value, list of values, or None for absent
    upstream: list = None  # the request's fields at the origin, without those that the gateway adds
    upstream_line: str = None  # "GET /p HTTP/1.1"
    upstream_body: bytes = None
    forwarded: bool = None  # whether a request reached the origin; None: it did unless the status says otherwise
    log: list = field(default_factory=list)  # patterns, each in some line of the log
    not_in_log: list = field(default_factory=list)
    not_in_reply: list = field(default_factory=list)  # texts that the client must not see
    session: str = None  # session.id of the access line

    def scripts(self, language):
        text = getattr(self, language)
        return [text] if isinstance(text, str) else list(text)


def case(name, says, **parts):
    assert all(c.name != name for c in CASES), f"two cases are called {name}"
    CASES.append(Case(name, says, **parts))


def bad_and_good(name, says, bad, good, code, **parts):
    """A value that is refused and its near-identical control that passes. Both are dicts by language."""
    case(name, says, **{**parts, **bad, "status": int(parts.get("bad_status", 500)), "code": code})
    case(name + ".control", says, **{**parts, **good})


def wrap(language, text):
    if language == "lua":
        return f"local M = {{}}\n{text}\nreturn M\n"
    if language == "python":
        return f"import lingate\n{text}\n"
    return f'var lingate = require("lingate");\n{text}\n'
