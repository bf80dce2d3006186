#!/usr/bin/env python3
"""Runs the rows of the table of faults, one after the other, and prints what was measured.

    run.py [--only 1,5] [--file upstream_rows] [--small] [--markdown FILE]
"""
import argparse
import importlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import table  # noqa: E402


def load_rows(file="*_rows"):
    for path in sorted(Path(__file__).resolve().parent.glob(f"{file}.py")):
        importlib.import_module(path.stem)
    return sorted(table.ROWS, key=lambda each: (int(each[0]) if each[0].isdigit() else 100, each[0]))


def show(case):
    verdict = "held" if case.held else "NOT HELD"
    print(f"{case.number:>4}  {case.fault}: {verdict} ({case.seconds:.1f} s)", flush=True)
    for figure in case.figures:
        mark = " " if figure.held else "!"
        print(f"      {mark} {figure.what}: {figure.measured} ({figure.wanted})", flush=True)
    if case.error:
        print("      " + case.error.replace("\n", "\n      "), flush=True)


def markdown(cases):
    lines = ["| # | fault | measured | figure | |", "|---|---|---|---|---|"]
    for case in cases:
        number, fault = case.number, case.fault
        for figure in case.figures:
            held = "held" if figure.held else "**not held**"
            lines.append(f"| {number} | {fault} | {figure.what}: {figure.measured} | {figure.wanted} | {held} |")
            number = fault = ""
        if case.error:
            lines.append(f"| {number} | {fault} | failed: {case.error.strip().splitlines()[-1]} | | **not held** |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="make faults and measure what comes of them")
    parser.add_argument("--only", help="numbers of rows, with commas between them")
    parser.add_argument("--file", default="*_rows", help="rows of one file only, its name without .py")
    parser.add_argument("--small", action="store_true", help="as small as each fault allows")
    parser.add_argument("--markdown", metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    rows = load_rows(options.file)
    if options.only:
        wanted = options.only.split(",")
        rows = [each for each in rows if each[0] in wanted]
        if unknown := set(wanted) - {each[0] for each in rows}:
            sys.exit(f"run.py: there is no row {', '.join(sorted(unknown))}; there are: "
                     f"{', '.join(dict.fromkeys(each[0] for each in table.ROWS))}")
    cases = []
    for each in rows:
        case = table.run_row(*each, full=not options.small)
        show(case)
        if options.small and not case.held:  # the machine has others to serve; what is not held is not held twice
            print("      once more:", flush=True)
            case = table.run_row(*each, full=False)
            show(case)
        cases.append(case)
    if options.markdown:
        Path(options.markdown).write_text(markdown(cases))
    held = sum(case.held for case in cases)
    print(f"{held} of {len(cases)} rows held on {os.cpu_count()} cores")
    return 0 if held == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
