"""A gateway on a system with faults (shim.c): its calendar jumps, its store's file cannot be written, names are not found.

    with Shim() as shim, Gateway(CONFIG, env=shim.env) as gateway:
        shim.jump(3600)
        shim.fail_writes(errno.EIO)
        shim.silence_names(20)
"""
import mmap
import struct
import subprocess
import tempfile
from pathlib import Path


class Shim:
    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="lingate-shim-")
        folder = Path(self._folder.name)
        library, said = folder / "shim.so", folder / "said"
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(Path(__file__).with_name("shim.c")), "-ldl"],
                       check=True)
        said.write_bytes(bytes(24))
        with open(said, "r+b") as file:
            self._said = mmap.mmap(file.fileno(), 24)
        self.env = {"LD_PRELOAD": str(library), "LINGATE_SHIM": str(said)}
        return self

    def __exit__(self, *_):
        self._said.close()
        self._folder.cleanup()

    def jump(self, seconds):
        """The calendar is off by so much from now on."""
        self._said[0:8] = struct.pack("q", seconds)

    def fail_writes(self, error):
        """0: they work again."""
        self._said[8:16] = struct.pack("q", error)

    def silence_names(self, seconds):
        """The look-up of a name takes so long, and ends without an answer."""
        self._said[16:24] = struct.pack("q", seconds)
