"""What lingate is to reach: each target names an arm, who is compared, a bar that has to hold and a goal.

A ratio is the median of the ratios of samples of the same sweep, and judged as it is shown: with two digits.
"""
from dataclasses import dataclass
from statistics import median

US, KIB = 1000, 1024


@dataclass(frozen=True)
class Target:
    name: str
    arm: str
    ours: str
    theirs: str = ""  # without it the value itself is judged
    bar: float | None = None
    goal: float | None = None
    figure: str = "cpu"
    minus: str = ""  # whose cost is taken off, an arm or one in this arm: what is left is the share
    calls: int = 1  # a request makes so many, and one is judged

    @property
    def unit(self):
        return "B" if self.figure == "memory" else "ns"


TARGETS = [
    Target("bare proxy", "bare", "lingate-lua", "nginx", 0.90, 0.72),
    Target("bare proxy", "bare", "lingate-lua", "haproxy"),
    Target("header, Lua", "header", "lingate-lua", "nginx-lua", 0.85, 0.70),
    Target("header, Lua", "header", "lingate-lua", "haproxy"),
    Target("  share, Lua", "header", "lingate-lua", "nginx-lua", 0.60, 0.30, minus="bare"),
    Target("401, Lua", "deny", "lingate-lua", "nginx-lua", 0.90, 0.70),
    Target("early reply, Lua", "early", "lingate-lua", "nginx-lua"),
    Target("key, limit, Lua", "guarded", "guarded", "nginx-lua", 0.85, 0.70),
    Target("JSON body, Lua", "body", "lingate-lua", "nginx-lua", 0.90, 0.60),
    Target("header, JS", "header", "lingate-js", "njs", 1.10, 0.90),
    Target("  share, JS", "header", "lingate-js", "njs", minus="bare"),
    Target("early reply, JS", "early", "lingate-js", "njs"),
    Target("JSON body, JS", "body", "lingate-js", "njs"),
    Target("header, Python", "header", "lingate-python", "njs"),
    Target("  share, Python", "header", "lingate-python", bar=12 * US, goal=5 * US, minus="bare"),
    Target("10 KB", "r10k", "lingate-lua", "nginx", 1.00, 0.80),
    Target("1 MB", "r1m", "lingate-lua", "nginx", 1.00, 0.80),
    Target("one connection", "lat1", "lingate-lua", "nginx", figure="p50"),
    Target("idle connection", "idle", "lingate-lua", bar=KIB, goal=KIB // 2, figure="memory"),
    Target("two workers", "workers", "workers-2", "plain", 1.05, 1.01),
    Target("10,000 routes", "routes", "routes-10000", "routes-10", 1.05, 1.00),
    Target("ten native steps", "chain", "chain-10", "plain", 1.10, 1.03),
    Target("log and metrics", "telemetry", "telemetry", "plain", 1.08, 1.03),
    Target("share, echo", "echo", "echo/inline/empty", bar=0.8 * US, goal=0.3 * US, minus="native/empty"),
    *(Target(f"p99.9, {name}", "live", f"{runtime}/inline/live", goal=1000 * US, figure="p99.9")
      for runtime, name in (("lua", "Lua"), ("js", "JS"), ("python", "Python"))),
    Target("to a process", "handover", "script-process", bar=15 * US, goal=6 * US, minus="script-inline"),
    Target("  one call alone", "echo", "echo/process/empty", minus="echo/inline/empty", calls=2),
]
INSIDE = ("echo", "live")  # arms of `lingate bench runtimes`: scripts in a chain, without sockets
BESIDE = (*INSIDE, "handover")  # `minus` is another one in the same arm


@dataclass(frozen=True)
class Outcome:
    target: Target
    ours: list
    theirs: list  # empty: there is no reference, or it is not here

    @property
    def ratios(self):
        return [a / b for a, b in zip(self.ours, self.theirs) if b > 0]

    @property
    def judged(self):
        """The samples that bar and goal are about; none if the reference is missing."""
        return self.ratios if self.target.theirs else self.ours

    def holds(self, limit):
        if limit is None or not self.judged:
            return None
        value = median(self.judged)
        return (round(value, 2) if self.target.theirs else value) <= limit

    @property
    def met(self):
        """"goal", "bar", "no"; empty if nothing was promised or nothing could be told."""
        if self.holds(self.target.goal):
            return "goal"
        if self.holds(self.target.bar):
            return "bar"
        return "" if self.holds(self.target.goal) is None or self.target.bar is None else "no"


def outcomes(values):
    """`values(arm, gateway, figure)`: its samples, a sweep each, or none. Targets whose arm has not run are left out."""
    for target in TARGETS:
        ours, theirs = (of_one(target, name, values) if name else [] for name in (target.ours, target.theirs))
        if ours:
            yield Outcome(target, ours, theirs)


def of_one(target, name, values):
    whole = values(target.arm, name, target.figure)
    if not target.minus:
        return whole
    arm, other = (target.arm, target.minus) if target.arm in BESIDE else (target.minus, name)
    return [(a - b) / target.calls for a, b in zip(whole, values(arm, other, target.figure))]


def number(value, unit):
    if unit == "B":
        return f"{value:.0f} B"
    return f"{value / US:.1f} µs" if value < 100 * US else f"{value / US:.0f} µs"


def limit_text(target, limit):
    if limit is None:
        return "–"
    if target.theirs:
        return f"{limit:.2f}"
    if target.unit == "B":
        return f"{limit:.0f} B"
    return f"{limit / US:g} µs" if limit < 1000 * US else f"{limit / US / 1000:g} ms"


def span(outcome):
    """The median ratio and its range, or the range of the value itself where there is no reference."""
    values = outcome.judged
    if not values:
        return "–"
    if not outcome.target.theirs:
        return ""
    return f"{median(values):.2f} {min(values):.2f}–{max(values):.2f}"


def table(found):
    """80 columns, a line for each target."""
    widths = (17, 9, 19, 16, 7, 7)

    def line(*cells):
        first, *numbers, met = cells
        text = "".join(cell.rjust(width) for cell, width in zip(numbers, widths[1:]))
        return (first.ljust(widths[0]) + text + " " + met).rstrip()

    lines = [line("", "lingate", "reference", "ratio", "bar", "goal", "met")]
    for each in found:
        target = each.target
        theirs = f"{target.theirs} {number(median(each.theirs), target.unit)}" if each.theirs else target.theirs
        lines.append(line(target.name, number(median(each.ours), target.unit), theirs, span(each),
                          limit_text(target, target.bar), limit_text(target, target.goal), each.met))
    return "\n".join(lines) + "\n"
