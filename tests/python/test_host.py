# SPDX-License-Identifier: Apache-2.0
import contextlib
import ctypes
import io
import os
import subprocess
import sys
import threading
import unittest

from support import PACKAGE, Case, Host, Worker

from leat import _library, host


class Serving(Case):
    def foreign(self, *functions, source):
        path = self.write(source)
        return [(i, False, name, path, name) for i, name in enumerate(functions)]

    def test_a_run(self):
        stages = self.foreign(
            "mul", "add",
            source="""
            def mul(n: int) -> int: return n * 2
            def add(n: int) -> int: return n + 1
            """,
        )
        worker = Worker(stages, [(0, b"1\n2\n"), (1, b"5\n"), (0, b"x\n")])
        self.assertEqual(host.serve(Host(worker)), 0)
        self.assertEqual(
            worker.said,
            [
                "ready",
                ("commit", b"2\n4\n", 2),
                ("commit", b"6\n", 1),
                ("fail", b"", 0, 0, "not an int: 'x' at byte 0"),
            ],
        )
        self.assertTrue(worker.closed)

    def test_a_refusal(self):
        worker = Worker(self.foreign("none", source="def f(n): pass"), [(0, b"1\n")])
        self.assertEqual(host.serve(Host(worker)), 2)
        self.assertEqual(len(worker.said), 1)
        self.assertEqual(worker.said[0][0], "refuse")
        self.assertIn("has no function 'none'; it has: f", worker.said[0][1])
        self.assertTrue(worker.closed)

    def test_workers_are_threads(self):
        source = """
        import threading
        both = threading.Barrier(2, timeout=20)
        class Meet:
            def __call__(self, n: int) -> int:
                both.wait()
                return n
        """
        stages = self.foreign("Meet", source=source)
        workers = [Worker(stages, [(0, b"%d\n" % i)]) for i in range(2)]
        self.assertEqual(host.serve(Host(*workers)), 0)
        for i, worker in enumerate(workers):
            self.assertEqual(worker.said, ["ready", ("commit", b"%d\n" % i, 1)])

    def test_one_worker_is_on_the_main_thread(self):
        source = """
        import threading
        def f(n: int) -> str: return threading.current_thread().name
        """
        worker = Worker(self.foreign("f", source=source), [(0, b"1\n")])
        host.serve(Host(worker))
        name = threading.current_thread().name.encode()
        self.assertEqual(worker.said[1], ("commit", name + b"\n", 1))

    def test_close(self):
        source = """
        class Keeps:
            def __call__(self, n: int) -> int: return n
            def close(self):
                with open("closed", "a") as file: file.write("x")
        class Fails(Keeps):
            def close(self): raise OSError("disk")
        """
        worker = Worker(self.foreign("Fails", "Keeps", source=source))
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr):
            self.assertEqual(host.serve(Host(worker)), 0)
        self.assertEqual(os.path.getsize("closed"), 1)
        self.assertRegex(stderr.getvalue(), r"^leat: Fails: close\(\): \S+:6: OSError: disk\n$")

    def test_more_than_a_slot_holds(self):
        stages = self.foreign("f", source="def f(n: int) -> str: return 'x' * n")
        worker = Worker(stages, [(0, b"1\n50\n1\n"), (0, b"30\n40\n")], capacity=20)
        self.assertEqual(host.serve(Host(worker, max_answer=20)), 0)
        fit = "fit into memory"
        beside = "beside what the records before it gave"
        self.assertEqual(
            worker.said[1:],
            [
                ("fail", b"x\n", 1, 1, f"f() gave 51 bytes, of which 18 {fit} {beside}; raise --memory"),
                ("fail", b"", 0, 0, f"f() gave 31 bytes, of which 20 {fit}; raise --memory"),
            ],
        )

    def test_an_array_that_a_slot_does_not_hold_is_text(self):
        stages = self.foreign("f", source="def f(n: int) -> int: return n")
        worker = Worker(stages, [(0, b"1\n2\n3\n", 0, 1, False)], capacity=20)
        self.assertEqual(host.serve(Host(worker, max_answer=20)), 0)
        self.assertEqual(worker.said[1:], [("commit", b"1\n2\n3\n", 3)])


class Process(Case):
    """The folder started as a run starts it, on a library of this test's own."""

    SOURCE = r"""
    #include <leat/worker.h>
    #include <stdio.h>
    #include <string.h>
    static int given;
    int leat_host_open(int r, int b, unsigned h, struct leat_host **ret)
    { *ret = (void *)0x123456789a; return r == 3 && b == 4 && h == 5 ? 0 : -22; }
    struct leat_host *leat_host_close(struct leat_host *h) { (void)h; return 0; }
    unsigned leat_host_workers(const struct leat_host *h) { (void)h; return 1; }
    enum leat_frame leat_host_frame(const struct leat_host *h) { (void)h; return LEAT_NEWLINE; }
    uint64_t leat_host_max_record(const struct leat_host *h) { (void)h; return 1000; }
    uint64_t leat_host_max_answer(const struct leat_host *h) { (void)h; return 1000; }
    int leat_worker_open(struct leat_host *h, unsigned n, struct leat_worker **ret)
    { (void)n; *ret = (void *)h; return h == (void *)0x123456789a ? 0 : -22; }
    struct leat_worker *leat_worker_close(struct leat_worker *w) { (void)w; return 0; }
    int leat_worker_foreign(const struct leat_worker *w, unsigned i, struct leat_foreign *ret)
    {
        (void)w;
        if (i > 0) return -2;
        *ret = (struct leat_foreign){7, 0, "f", "stage.py", "f"};
        return 0;
    }
    void leat_worker_ready(struct leat_worker *w) { (void)w; fprintf(stderr, "ready\n"); }
    void leat_worker_refuse(struct leat_worker *w, const char *why)
    { (void)w; fprintf(stderr, "refused: %s\n", why); }
    int leat_worker_next(struct leat_worker *w, struct leat_batch *ret)
    {
        (void)w;
        if (given++ > 1) return 0;
        const char *data = given == 1 ? "1\n2\n" : "3\nx\n";
        *ret = (struct leat_batch){7, 2, LEAT_RECORDS, LEAT_RECORDS, 0, 0, data, strlen(data)};
        return 1;
    }
    void leat_worker_kinds(struct leat_worker *w, uint32_t stage, enum leat_kind takes,
        enum leat_kind gives)
    { (void)w; fprintf(stderr, "kinds %u %d %d\n", stage, takes, gives); }
    void leat_worker_at(struct leat_worker *w, uint32_t index)
    { (void)w; fprintf(stderr, "at %u\n", index); }
    int leat_worker_stateful(struct leat_worker *w, uint32_t stage)
    { (void)w; fprintf(stderr, "stateful %u\n", stage); return 0; }
    int leat_worker_commit(struct leat_worker *w, enum leat_kind kind, const void *data,
        uint64_t size, uint32_t n)
    {
        (void)w; (void)kind;
        fprintf(stderr, "commit %.*s %u\n", (int)size, (const char *)data, n);
        return 0;
    }
    int leat_worker_fail(struct leat_worker *w, enum leat_kind kind, const void *data,
        uint64_t size, uint32_t n, uint32_t index, const char *why)
    {
        (void)w; (void)kind;
        fprintf(stderr, "fail %.*s %u %u %s\n", (int)size, (const char *)data, n, index, why);
        return 0;
    }
    """

    def start(self, library):
        command = [sys.executable, os.path.join(PACKAGE, "leat"), library, "3", "4", "5"]
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )

    def test_a_library_that_cannot_be_loaded(self):
        ended = self.start("/nowhere/libleat.so")
        self.assertEqual(ended.returncode, 2)
        self.assertEqual(ended.stdout, "")
        self.assertEqual(ended.stderr.count("\n"), 1)
        self.assertIn("/nowhere/libleat.so", ended.stderr)

    def test_a_whole_host(self):
        include = os.path.join(PACKAGE, "..", "include")
        self.write(self.SOURCE, "fake.c")
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-I", include, "fake.c", "-o", "fake.so"], check=True
        )
        # These names are ours, too: the user's must be the ones that are found.
        self.write("VALUE = 10", "codec.py")
        self.write("VALUE = 100", "host.py")
        self.write(
            """
            import sys
            import codec, host
            assert sys.argv[1:] == []
            assert not any(entry.rstrip("/").endswith(("python", "python/leat"))
                           for entry in sys.path), sys.path
            def f(n: int) -> int:
                print("printed", n)
                return n + codec.VALUE + host.VALUE
            """,
            "stage.py",
        )
        ended = self.start("./fake.so")
        self.assertEqual(ended.stdout, "")
        self.assertEqual(
            ended.stderr.split("\n"),
            [
                "kinds 7 1 1",
                "ready",
                "printed 1", "printed 2", "commit 111", "112", " 2",
                "printed 3", "fail 113", " 1 1 not an int: 'x' at byte 0", "",
            ],
        )
        self.assertEqual(ended.returncode, 0)


class Library(unittest.TestCase):
    def test_bytes_over_what_string_at_takes(self):
        buffer = ctypes.create_string_buffer(b"abcdef", 6)
        address = ctypes.addressof(buffer)
        before = _library._STRING_AT_MAX
        _library._STRING_AT_MAX = 3
        self.addCleanup(setattr, _library, "_STRING_AT_MAX", before)
        self.assertEqual(_library._bytes_at(address, 6), b"abcdef")
        self.assertEqual(_library._bytes_at(address, 2), b"ab")
        self.assertEqual(_library._bytes_at(None, 0), b"")

    def test_text_for_c(self):
        self.assertEqual(_library._c_text("a\0b\udcffä"), b"a\\0b\\udcff\xc3\xa4")


if __name__ == "__main__":
    unittest.main()
