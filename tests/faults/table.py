"""The table of faults: each row makes one fault for real, measures what came of it and holds it against its figure.

    @row(1, "upstream dies before the response head")
    def dies_before_the_head(case):
        ...
        case.at_most("answered after the reset", took * 1000, 50, "ms")
        case.exactly("POST that came twice", twice, 0)

A row runs in two sizes: `case.full` is the one whose figures are shown (`./dev test --faults`); otherwise it is as small
as the fault allows, for the tests that run on every change. `case.pick(full=…, small=…)` chooses.
"""
import time
import traceback
from dataclasses import dataclass, field

ROWS = []


@dataclass
class Figure:
    what: str
    measured: str
    wanted: str
    held: bool


@dataclass
class Case:
    number: str
    fault: str
    full: bool = False
    figures: list = field(default_factory=list)
    error: str = ""
    seconds: float = 0

    def pick(self, full, small):
        return full if self.full else small

    def at_most(self, what, value, limit, unit=""):
        self._add(what, value, "≤", limit, unit, value <= limit)

    def at_least(self, what, value, limit, unit=""):
        self._add(what, value, "≥", limit, unit, value >= limit)

    def exactly(self, what, value, wanted, unit=""):
        self._add(what, value, "=", wanted, unit, value == wanted)

    def at_most_where_alone(self, what, value, limit, unit=""):
        """A ratio or a tail that says something only while nothing else uses the machine: shown in the full size."""
        if self.full:
            self.at_most(what, value, limit, unit)

    def _add(self, what, value, sign, limit, unit, held):
        text = lambda x: (f"{x:.3g}" if isinstance(x, float) and abs(x) < 1000 else f"{x:,.0f}" if isinstance(x, (int, float)) else str(x))
        gap = " " if unit else ""
        self.figures.append(Figure(what, f"{text(value)}{gap}{unit}", f"{sign} {text(limit)}{gap}{unit}", held))

    @property
    def held(self):
        return not self.error and bool(self.figures) and all(figure.held for figure in self.figures)


def row(number, fault):
    """Several functions may share a number: they are parts of that row."""
    def register(function):
        ROWS.append((str(number), fault, function))
        return function
    return register


def run_row(number, fault, function, full):
    case = Case(number, fault, full)
    began = time.monotonic()
    try:
        function(case)
    except Exception:  # shown in the table; the rows after it still run
        case.error = traceback.format_exc()
    case.seconds = time.monotonic() - began
    return case
