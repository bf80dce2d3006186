#!/usr/bin/env python3
"""Worker processes that say what no worker says: they write into the memory that they share with the gateway, and ring
its bell; and some that use what belongs to others. They are killed; nobody else waits."""
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import SANITIZED, Gateway  # noqa: E402
from support.wire import ask, problem_code, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen: [{address: 127.0.0.1:0}]
routes:
  - {name: others, match: {path: /others}, respond: {status: 200, text: fine}}
  - name: liar
    match: {path: "/*"}
    chain: [script: {file: liar.py, isolation: process, instances: 1, budget: 5s, wait: 20s}]
    respond: {status: 200, text: passed}
"""
# Where protocol.h and ring.h have things: descriptor 3 is a page of counters, then the rings for calls and for replies;
# descriptor 4 is the bell.
SCRIPT = """
import ctypes, mmap, os, struct, threading, time
import lingate

WRITTEN, READ = 128, 192  # of the replies
HEAD = struct.Struct("<IHHIIQq")  # size, kind, detail, id, reserved, serial, number
LOADED, FINISHED, LOG = 5, 7, 9

class Replies:
    def __init__(self):
        self.memory = mmap.mmap(3, os.fstat(3).st_size)
        self.capacity = (len(self.memory) - 4096) // 2

    def number(self, at):
        return struct.unpack_from("<Q", self.memory, at)[0]

    def tell(self, *frames):
        place = self.number(WRITTEN)
        for frame in frames:
            at = 4096 + self.capacity + place % self.capacity
            self.memory[at:at + len(frame)] = frame
            place += len(frame)
        struct.pack_into("<Q", self.memory, WRITTEN, place)
        ring()

def ring():
    os.write(4, struct.pack("<Q", 1))

def endless_zeros():  # each 32 of them are a frame of no kind; the end of the ring is always ahead
    replies = Replies()
    start = replies.number(WRITTEN)
    offset = start % replies.capacity
    replies.memory[4096 + replies.capacity:] = bytes(replies.capacity)
    struct.pack_into("<I", replies.memory, 4096 + replies.capacity + offset, -offset % 32)
    struct.pack_into("<Q", replies.memory, WRITTEN, start - offset + replies.capacity)
    def keep_ahead():
        while True:
            read = replies.number(READ)
            if read % 32 == 0:
                struct.pack_into("<Q", replies.memory, WRITTEN, read + replies.capacity)
    threading.Thread(target=keep_ahead, daemon=True).start()
    ring()
    time.sleep(1000)

def endless_rings():
    while True:
        ring()

LIES = {
    "endless_zeros": endless_zeros,
    "endless_rings": endless_rings,
    "positions": lambda: struct.pack_into("<Q", Replies().memory, WRITTEN, 1 << 62) or ring(),
    "a_call_that_there_is_not": lambda: Replies().tell(HEAD.pack(0, FINISHED, 0, 77, 0, 4711, 0)),
    "loaded_again": lambda: Replies().tell(HEAD.pack(0, LOADED, 0, 0, 0, 0, 0)),
    "lines": lambda: Replies().tell(*[HEAD.pack(0, LOG, 0, 0, 0, 0, 0)] * 3000),
}

def go_on():
    while True:
        pass

def use(name):
    if name == "processor":
        threading.Thread(target=go_on, daemon=True).start()
    elif name == "memory":  # what no ceiling counts: a page of the stack, moved away and made large
        libc = ctypes.CDLL(None)
        libc.mremap.restype = ctypes.c_void_p
        libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
        stack = next(line for line in open("/proc/self/maps") if "[stack]" in line)
        place = libc.mremap(int(stack.split("-")[0], 16), 4096, 512 << 20, 1)
        ctypes.memset(place, 1, 512 << 20)
    else:
        threading.stack_size(64 << 10)
        for _ in range(200):
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()

def request(req):
    what = req.headers.get("X-Do")
    if what in ("processor", "threads", "memory"):
        use(what)
    elif what == "log":
        said = []
        def log():
            try:
                lingate.log.info("from nowhere")
            except Exception as error:
                said.append(str(error))
        thread = threading.Thread(target=log)
        thread.start()
        thread.join()
        return lingate.respond(200, said[0])
    elif what:
        LIES[what]()
        time.sleep(1000)
    return lingate.respond(200, str(os.getpid()))
"""
LIES = ("endless_zeros", "endless_rings", "positions", "a_call_that_there_is_not", "loaded_again", "lines")
USES = {
    "processor": "it went on computing for seconds without a call",
    "threads": "it has more than 64 threads",
    **({} if SANITIZED else {"memory": "it held far more memory than it may"}),
}


def do(gateway, lie=None):
    return ask(gateway.port, request_bytes(headers=[("X-Do", lie)] if lie else []))


class Liars(unittest.TestCase):
    def test_a_worker_that_says_what_no_worker_says_is_killed_and_nobody_else_waits(self):
        for lie in LIES:
            with self.subTest(lie=lie), Gateway(CONFIG, {"liar.py": SCRIPT}) as gateway:
                honest = do(gateway).body
                answers = []
                caller = threading.Thread(target=lambda: answers.append(do(gateway, lie)))  # noqa: B023
                caller.start()
                served = 0
                while caller.is_alive():
                    response = ask(gateway.port, request_bytes(target="/others"))
                    self.assertEqual((response.status, response.body), (200, b"fine"))
                    served += 1
                caller.join()
                self.assertGreater(served, 0)
                self.assertEqual((answers[0].status, problem_code(answers[0])), (503, "LG3005"))
                gateway.wait_log("was killed, because it said what no worker says")
                after = do(gateway)
                self.assertEqual(after.status, 200)
                self.assertNotEqual(after.body, honest)

    def test_workers_that_lie_again_and_again_rest(self):
        with Gateway(CONFIG, {"liar.py": SCRIPT}) as gateway:
            for _ in range(5):
                self.assertEqual(problem_code(do(gateway, "loaded_again")), "LG3005")
            gateway.wait_log("cannot be kept running")

    def test_a_thread_that_a_script_has_started_cannot_log(self):
        with Gateway(CONFIG, {"liar.py": SCRIPT}) as gateway:
            self.assertIn(b"has no call to log for", do(gateway, "log").body)

    def test_a_worker_whose_threads_use_too_much_between_calls_is_killed(self):
        for what, says in USES.items():
            with self.subTest(what=what), Gateway(CONFIG, {"liar.py": SCRIPT}) as gateway:
                before = do(gateway, what)
                self.assertEqual(before.status, 200)
                gateway.wait_log(f"was killed, because {says}")
                after = do(gateway)
                self.assertEqual(after.status, 200)
                self.assertNotEqual(after.body, before.body)


if __name__ == "__main__":
    unittest.main(verbosity=2)
