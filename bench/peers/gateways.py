"""Who is compared: programs, the Debian packages that they come in, their configurations, and the arms they take part in.

To add a peer: its configuration beside this file, an entry in PEERS. `{name}` in a configuration is filled in from
`Surroundings.values`; `{port_NAME}` is a free port for each NAME among the arms' places.
"""
import grp
import json
import os
import pwd
import re
import shutil
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from processes import Process, free_ports, listeners

FOLDER = Path(__file__).resolve().parent
MULTIARCH = sysconfig.get_config_var("MULTIARCH") or os.uname().machine + "-linux-gnu"
SESSIONS = {f"key-{i:08d}": {"user": f"user-{i}", "tenant": f"tenant-{i % 17}"} for i in range(1, 1001)}
FILLER = "x" * 128
CALLERS = {f"guarded-{key}": caller for key, caller in SESSIONS.items()}  # of the arm `guarded`
SLOW = "guarded-key-that-may-come-once"


@dataclass(frozen=True)
class Place:
    """Where an arm is served: a port by its name, and a host."""
    port: str = ""
    host: str = "gateway.example"


@dataclass(frozen=True)
class Description:
    name: str
    command: str
    files: tuple  # the first is the configuration; all are filled in
    arms: dict
    needs: dict = field(default_factory=dict)  # a command or a path: its package
    environment: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)  # to fill in, beyond the common ones
    says_port: bool = False  # listens on port 0 and tells

    def missing(self):
        """Debian packages that have to be installed first."""
        def is_there(what):
            return os.path.exists(what) if what.startswith("/") else shutil.which(what)
        return sorted({package for what, package in self.needs.items() if not is_there(what)})


def ports_of(*names):
    return {name: Place(name) for name in names}


NGINX = "nginx -e {folder}/startup.log -c {configuration}"
BARE = {"bare": Place(), "lat1": Place(), "idle": Place()}
SCRIPTED = {"bare": Place(), "deny": Place("header"), **ports_of("header", "early", "body")}
LUA_5_1 = f"/usr/lib/{MULTIARCH}/lua/5.1"
PEERS = [
    Description("nginx", NGINX, ("nginx.conf", "nginx-common.conf"),
                {**BARE, "r10k": Place("large"), "r1m": Place("large")}, {"nginx": "nginx"},
                # glibc would give a large response's buffers back to the kernel each time, and fault them in again.
                {"MALLOC_TRIM_THRESHOLD_": "67108864", "MALLOC_MMAP_THRESHOLD_": "67108864"}),
    Description("nginx-lua", NGINX, ("nginx-lua.conf", "nginx-common.conf", "sessions.lua", "callers.lua"),
                {**SCRIPTED, **ports_of("guarded")},
                {"nginx": "nginx",
                 "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
                 "/usr/share/lua/5.1/resty/core.lua": "lua-resty-core",
                 "/usr/share/lua/5.1/resty/lrucache.lua": "lua-resty-lrucache",
                 LUA_5_1 + "/cjson.so": "lua-cjson"}),
    Description("njs", NGINX, ("njs.conf", "nginx-common.conf", "njs.js"), SCRIPTED,
                {"nginx": "nginx", "/usr/lib/nginx/modules/ngx_http_js_module.so": "libnginx-mod-http-js"}),
    Description("haproxy", "haproxy -db -f {configuration}", ("haproxy.cfg", "haproxy.lua", "sessions.lua"),
                {**SCRIPTED, **BARE, "r10k": Place(), "r1m": Place()},
                {"haproxy": "haproxy", f"/usr/lib/{MULTIARCH}/lua/5.3/cjson.so": "lua-cjson"}),
]


def hosts_of(*names):
    return {name: Place(host=f"{name}.bench") for name in names}


ALL = '  - {name: all, match: {path: "/*"}, chain: [{chain}], upstream: up}'


def routes(count):
    lines = [f'  - {{name: r{k:05d}, match: {{path: "/r{k:05d}/{{n}}"}}, upstream: up}}' for k in range(count)]
    return "\n".join(lines)


# Ten steps that do something on both sides, and do it to the same field, so that the heads do not grow with them.
STEPS = ", ".join('headers: {request: {set: {X-Step: "%d"}}, response: {set: {X-Step: "%d"}}}' % (k, k) for k in range(10))
SELVES = {  # name: (arms, what differs from a plain proxy)
    "plain": (("workers", "chain", "telemetry"), {}),
    "workers-2": (("workers",), {"workers": 2}),
    "chain-10": (("chain",), {"chain": STEPS}),
    "telemetry": (("telemetry",), {"chain": "access-log: {file: {folder}/access.log}",
                                   "admin": "admin: {address: 127.0.0.1:{port_admin}}"}),
    "script-inline": (("handover",), {"chain": "script: {file: empty.lua, isolation: inline}"}),
    "script-process": (("handover",), {"chain": "script: {file: empty.lua, isolation: process, instances: 1}"}),
    "guarded": (("guarded",), {"chain": "key-auth, rate-limit: 1000000/1s, script: {file: guarded.lua, isolation: inline}",
                               "admin": "admin: {address: 127.0.0.1:{port_admin}}\nstore: {kind: memory}"}),
    "routes-10": (("routes",), {"routes": routes(10)}),
    "routes-10000": (("routes",), {"routes": routes(10000)}),
}


def lingates(program):
    run = f"{program} run -c {{configuration}}"
    scripted = {"bare": Place(), "deny": Place(host="header.bench"), **hosts_of("header", "early", "body")}
    arms = {"lua": {**scripted, **BARE, "r10k": Place(), "r1m": Place()}, "js": scripted, "python": scripted}
    kinds = {"lua": "lua", "js": "js", "python": "py"}
    made = [Description(f"lingate-{language}", run,
                        (f"lingate-{language}.yaml", *(f"{job}.{kinds[language]}" for job in ("header", "early", "body"))),
                        arms[language], says_port=True) for language in arms]
    for name, (those, values) in SELVES.items():
        made.append(Description(name, run, ("lingate-plain.yaml", "empty.lua", "guarded.lua"), {arm: Place() for arm in those}, says_port=True,
                                values={"workers": 1, "chain": "", "admin": "", "routes": ALL, **values}))
    return made


def fill(text, values):
    """Puts in what is known, and what that holds in turn; other braces belong to the configuration."""
    for _ in range(3):
        text = re.sub(r"\{([a-z][a-z_]*)\}", lambda found: str(values.get(found[1], found[0])), text)
    return text


class Gateway:
    """One of them in a folder of its own, which it is started from as often as wanted."""

    def __init__(self, description, folder, core, upstream):
        self.description, self.name, self.core = description, description.name, core
        self.folder = folder / self.name
        self.folder.mkdir()
        self.log = self.folder / "access.log"
        self.process = None
        names = {place.port for place in description.arms.values()} | {"admin"}
        self.ports = dict(zip(sorted(names), free_ports(len(names))))
        self.values = {**description.values, "folder": self.folder, "upstream_port": upstream, "multiarch": MULTIARCH,
                       "filler": FILLER, "files": 20000, "connections": 9000,
                       "configuration": self.folder / description.files[0],
                       "user": f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}",
                       **{"port_" + name if name else "port": port for name, port in self.ports.items()}}
        if description.says_port:
            self.values["port"] = 0
        for name in description.files:
            (self.folder / name).write_text(fill((FOLDER / name).read_text(), self.values))
        (self.folder / "sessions.json").write_text(json.dumps(SESSIONS))

    def start(self):
        command = fill(self.description.command, self.values).split()
        environment = {**os.environ, **self.description.environment}
        self.process = Process(command, self.core, self.folder / "output", env=environment)
        if self.description.says_port:
            self.ports[""] = int(self.process.wait_until(self.told_port)[1])
        else:
            wanted = {place.port for place in self.description.arms.values()}
            self.process.wait_until(lambda: all(listeners(self.ports[name]) for name in wanted))

    def told_port(self):
        return re.search(r"^listening http://[^:]*:(\d+)", self.process.output.read_text(errors="replace"), re.M)

    def port(self, arm):
        return self.ports[self.description.arms[arm].port]

    def host(self, arm):
        return self.description.arms[arm].host

    def empty_log(self):
        """The next lines take the memory of those before: a virtual machine that has to give a file memory which was
        never used takes longer for that than for the lines."""
        if self.log.exists():
            os.truncate(self.log, 0)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None
