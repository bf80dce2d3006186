#!/usr/bin/env python3
"""The report's pages in a real browser: nothing on the console, no chart missing, nothing wider than the screen.

    browser_test.py BENCH_PAGE_RENDER [CHROMIUM]
"""
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.browser import browser, run_in_browser  # noqa: E402


class ThePage(unittest.TestCase):
    WIDTHS = (400, 1400)
    PAGES = ("one", "two", "http", "peers", "hostile", "mixed")

    def setUp(self):
        browser().complaints.clear()

    def tearDown(self):
        browser().value("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
        self.assertEqual(browser().complaints, [])

    def open(self, name, width=1400):
        browser().open((pages / f"{name}.html").as_uri(), width)

    def test_every_page_opens_without_a_complaint(self):
        for name in self.PAGES:
            for width in self.WIDTHS:
                with self.subTest(page=name, width=width):
                    self.open(name, width)
                    self.assertEqual(browser().complaints, [])
                    self.assertGreater(browser().count("#page h1"), 0)

    def test_every_chart_is_drawn_and_with_numbers_only(self):
        for name in self.PAGES:
            with self.subTest(page=name):
                self.open(name, 400)
                self.assertEqual(browser().count(".chart:not(:has(svg))"), 0)
                self.assertEqual(browser().count(".chart svg:not([aria-label])"), 0)
                self.assertEqual(browser().value(
                    "[...document.querySelectorAll('svg *')].flatMap((made) => [...made.attributes])"
                    ".filter(({value}) => /NaN|Infinity|undefined/.test(value))"
                    ".map(({name, value}) => name + ' ' + value)"), [])

    def test_no_chart_is_missing(self):
        self.open("one")
        for selector, wanted in ((".rows tbody tr", 45), (".parts .chart svg", 5), (".bars .chart svg", 5),
                                 (".latency .chart svg", 1), (".curves .chart svg", 4), (".latency .area", 4),
                                 (".bars path.whisker", 45), (".parts .legend li", 7)):
            with self.subTest(selector=selector):
                self.assertEqual(browser().count(selector), wanted)
        for part in ("encode", "enter", "run", "exit", "apply", "rest"):
            with self.subTest(part=part):
                self.assertGreater(browser().count(f".parts rect.part-{part}"), 5)

    def test_a_record_without_parts_has_what_it_has(self):
        self.open("http")
        self.assertEqual(browser().count(".parts, .curves"), 0)
        self.assertEqual(browser().count(".latency svg"), 1)
        self.assertIn("rate", browser().value("document.querySelector('.rows thead').textContent"))

    def test_peers_show_what_is_met_and_each_row_by_its_figure(self):
        self.open("peers")
        verdicts = "[...document.querySelectorAll('.targets tbody tr')].map((row) => row.lastChild.textContent)"
        self.assertEqual(browser().value(verdicts), ["goal", "bar", "no", "", "bar", ""])
        self.assertEqual(browser().count(".targets path.whisker"), 4 + 3)  # an interval each, and a bar where there is one
        self.assertEqual(browser().count(".rows tbody tr"), 5)
        self.assertEqual(browser().value("[...document.querySelectorAll('.bars h2')].map((title) => title.textContent)"),
                         ["Processor time", "Memory"])

    def test_nothing_is_wider_than_the_screen(self):
        for name in self.PAGES:
            for width in self.WIDTHS:
                with self.subTest(page=name, width=width):
                    self.open(name, width)
                    self.assertLessEqual(browser().value("document.documentElement.scrollWidth"), width)

    def test_texts_of_a_chart_stay_inside_it(self):
        outside = """[...document.querySelectorAll('.chart svg')].flatMap((svg) => {
          const room = svg.getBoundingClientRect();
          const leaves = (place) => place.left < room.left - 1 || place.right > room.right + 1 ||
              place.bottom > room.bottom + 2;
          return [...svg.querySelectorAll('text')].filter((text) => leaves(text.getBoundingClientRect()))
              .map((text) => text.textContent);
        })"""
        for name in ("one", "http", "peers"):
            for width in self.WIDTHS:
                with self.subTest(page=name, width=width):
                    self.open(name, width)
                    self.assertEqual(browser().value(outside), [])

    def test_a_click_sorts_and_another_turns_the_order(self):
        self.open("one")
        order = "[...document.querySelectorAll('.rows tbody th')].map((cell) => cell.textContent)"
        press = ("(() => {const head = [...document.querySelectorAll('.rows thead button')]"
                 ".find((button) => button.textContent === 'cpu'); head.click();"
                 "return head.parentNode.getAttribute('aria-sort')})()")
        self.assertEqual(browser().value(press), "ascending")
        upwards = browser().value(order)
        self.assertTrue(upwards[0].endswith("/empty") and upwards[-1].endswith("/compute"), upwards)
        self.assertEqual(browser().value(press), "descending")
        self.assertEqual(browser().value(order), upwards[::-1])

    def test_a_checkbox_takes_a_histogram_away_and_brings_it_back(self):
        self.open("one")
        drawn = "document.querySelectorAll('.latency .area').length"
        take = "document.querySelector('.choices input:checked').click(), " + drawn
        add = "document.querySelector('.choices input:not(:checked)').click(), " + drawn
        self.assertEqual([browser().value(take) for _ in range(4)], [3, 2, 1, 0])
        self.assertEqual([browser().value(add) for _ in range(3)], [1, 2, 3])

    def test_a_comparison_tells_noise_from_a_difference(self):
        self.open("two")
        line = ("[...document.querySelectorAll('#comparison tbody tr')]"
                ".find((row) => row.firstChild.textContent === '%s').children[1]")
        self.assertEqual(browser().value(line % "lua/inline/header" + ".className"), "number ratio worse")
        self.assertRegex(browser().value(line % "lua/inline/header" + ".textContent"), r"^\+\d")
        self.assertEqual(browser().value(line % "js/inline/body" + ".querySelector('b').textContent"), "~")

    def test_texts_of_a_record_are_never_markup(self):
        self.open("hostile")
        self.assertEqual(browser().count("#planted"), 0)
        self.assertIn('</script><b id="planted">', browser().value("document.querySelector('h1').textContent"))
        self.assertIn('</script><b id="planted">', browser().value("document.querySelector('.rows tbody').textContent"))

    def test_a_narrower_window_draws_the_charts_anew(self):
        self.open("one")
        width = "document.querySelector('.curves svg').viewBox.baseVal.width"
        wide = browser().value(width)
        browser().ask("Emulation.setDeviceMetricsOverride", width=400, height=900, deviceScaleFactor=1, mobile=False)
        browser().value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.assertLess(browser().value(width), wide)


def draw(folder):
    global pages
    pages = folder
    subprocess.run([sys.argv[1], folder], check=True)


if __name__ == "__main__":
    sys.exit(run_in_browser(sys.argv[2:3], prepare=draw))
