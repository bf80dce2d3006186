"""The parts of bench/peers for tests: its modules on the path, a folder, and what it compares in that folder."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
from gateways import lingates  # noqa: E402
from measure import Bench  # noqa: E402

LINGATE = os.environ["LINGATE"]
LOAD = os.environ["PEERS_LOAD"]
CORE = min(os.sched_getaffinity(0))


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lingate-peers-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def bench(self, name, *arms, seconds=0.05):
        """A bench with one of lingate's configurations, not yet started, and that gateway."""
        descriptions = [each for each in lingates(LINGATE) if each.name == name]
        bench = Bench(descriptions, arms, seconds, CORE, self.folder, LOAD, lambda text: None)
        self.addCleanup(bench.stop)
        return bench, bench.gateways[0]
