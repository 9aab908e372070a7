# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import unittest

from support import PACKAGE

THREADS = 8
LINES = 700


def lines_of(source):
    """What a program that has installed the streams writes to its one pipe."""
    program = f"import sys; sys.path.insert(0, {PACKAGE!r})\nfrom leat import lines\n{source}"
    run = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    return run.stdout.decode()


class Lines(unittest.TestCase):
    def test_threads_do_not_mix(self):
        written = lines_of(f"""
import threading
lines.install()
def talk(name):
    for i in range({LINES}):
        print(name, i, "x" * (i % 7 * 1000), file=(sys.stdout, sys.stderr)[i % 2])
threads = [threading.Thread(target=talk, args=(n,)) for n in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
""").splitlines()
        seen = [0] * THREADS
        for line in written:
            name, i, *rest = line.split()
            i = int(i)
            self.assertEqual("".join(rest), "x" * (i % 7 * 1000))
            # In the order in which the thread wrote them.
            self.assertEqual(i, seen[int(name)])
            seen[int(name)] += 1
        self.assertEqual(seen, [LINES] * THREADS)

    def test_a_line_begun(self):
        written = lines_of("""
import io
lines.install()
print("a", end=""); print("err", file=sys.stderr); print("b")
print("c", end="", flush=True); sys.stderr.write("d\\n")
try: sys.stdout.write(1)
except TypeError as error: print(error)
print("\\u20ac", end="")
""")
        self.assertEqual(
            written, "err\nab\ncd\nwrite() argument must be str, not int\n\u20ac"
        )

    def test_streams_that_are_not_there(self):
        self.assertEqual(lines_of("sys.stdout = None; lines.install(); assert not sys.stdout"), "")


if __name__ == "__main__":
    unittest.main()
