# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import os
import unittest
from array import array
from unittest import mock

from support import Case

from leat import _library, batch
from leat.codec import F64, I64, RECORDS
from leat.framing import BY_NUMBER

NEWLINE = BY_NUMBER[_library.NEWLINE]
NUL = BY_NUMBER[_library.NUL]
U32 = BY_NUMBER[_library.U32]


class Batches(Case):
    def run_batch(self, stage, data, framing=NEWLINE, max_record=1 << 20):
        answer, _ = batch.run(stage, framing, max_record, data)
        if answer.why is None:
            self.assertIsNone(answer.index)
            return answer.data, answer.n_records
        return answer.data, answer.n_records, answer.index, answer.why

    def test_every_codec(self):
        for kind, data in (
            ("int", b"1\n22\n" + b"9" * 10000 + b"\n"),
            ("float", b"1.5\n-0.0\nnan\n"),
            ("str", "ä\n\nb\r\n".encode()),
            ("bytes", b"\xff\x00\n\n"),
            ("dict", b'{"a":1}\n[2,"x"]\n"y"\n'),
        ):
            stage = self.stage(f"def f(x: {kind}) -> {kind}: return x")
            self.assertEqual(self.run_batch(stage, data), (data, data.count(b"\n")))
            for framing in (NUL, U32):
                records = NEWLINE.split(data)
                if kind == "bytes":
                    records = [record.replace(b"\0", b"\1") for record in records]
                framed = framing.join(records)
                self.assertEqual(framing.split(framed), records)
                self.assertEqual(self.run_batch(stage, framed, framing), (framed, len(records)))

    def test_typed_batches(self):
        ints = array("q", [1, -2, 1 << 40]).tobytes()
        stage = self.stage("def f(n: int) -> int: return n * 2 if n > 0 else None")
        answer, _ = batch.run(stage, NEWLINE, 1 << 20, ints, I64, I64)
        self.assertEqual((answer.kind, answer.n_records), (I64, 2))
        self.assertEqual(answer.data, array("q", [2, 1 << 41]).tobytes())
        answer, _ = batch.run(stage, NEWLINE, 1 << 20, ints, I64, RECORDS)
        self.assertEqual((answer.kind, answer.data), (RECORDS, b"2\n2199023255552\n"))

    def test_a_value_beyond_the_type_makes_its_batch_text(self):
        stage = self.stage("def f(n: int) -> int: return n << 60")
        answer, _ = batch.run(stage, NEWLINE, 1 << 20, b"1\n9\n", RECORDS, I64)
        self.assertEqual((answer.kind, answer.why), (RECORDS, None))
        self.assertEqual(answer.data, b"%d\n%d\n" % (1 << 60, 9 << 60))
        answer, _ = batch.run(stage, NEWLINE, 1 << 20, b"1\n2\n", RECORDS, I64)
        self.assertEqual((answer.kind, answer.n_records), (I64, 2))

    def test_a_float_array_says_what_text_would(self):
        stage = self.stage("def f(x: float) -> float: return int(x)")
        answer, _ = batch.run(stage, NEWLINE, 1 << 20, array("d", [2.5]).tobytes(), F64, F64)
        self.assertEqual(array("d", answer.data)[0], 2.0)
        stage = self.stage("def f(x: float) -> float: return str(x)")
        answer, _ = batch.run(stage, NEWLINE, 1 << 20, array("d", [2.5]).tobytes(), F64, F64)
        self.assertIn("gave str", answer.why)

    def test_none_drops(self):
        stage = self.stage("def f(n: int) -> int: return n if n % 2 else None")
        self.assertEqual(self.run_batch(stage, b"1\n2\n3\n4\n"), (b"1\n3\n", 2))
        self.assertEqual(self.run_batch(stage, b"2\n4\n"), (b"", 0))
        stage = self.stage("def f(n): return n")
        self.assertEqual(self.run_batch(stage, b"1\nnull\n3\n"), (b"1\n3\n", 2))

    def test_generators(self):
        stage = self.stage(
            """
            def f(n: int) -> int:
                for i in range(n):
                    yield i if i != 1 else None
            """
        )
        self.assertEqual(self.run_batch(stage, b"3\n0\n1\n"), (b"0\n2\n0\n", 3))

    def test_a_generator_that_raises_loses_what_it_gave(self):
        stage = self.stage(
            """
            def f(n: int) -> int:
                yield n
                yield n
                if n == 2:
                    raise ValueError("two")
            """
        )
        self.assertEqual(
            self.run_batch(stage, b"1\n2\n3\n"),
            (b"1\n1\n", 2, 1, f"{stage.shown}:5: ValueError: two"),
        )

    def test_a_returned_iterator(self):
        stage = self.stage("def f(n: int): return iter(range(n))")
        self.assertEqual(self.run_batch(stage, b"2\n1\n"), (b"0\n1\n0\n", 3))
        stage = self.stage("def f(n: int): return list(range(n))")
        self.assertEqual(self.run_batch(stage, b"2\n"), (b"[0,1]\n", 1))
        stage = self.stage(
            "from typing import Iterable\ndef f(n: int) -> Iterable[int]: return list(range(n))"
        )
        self.assertEqual(self.run_batch(stage, b"2\n0\n"), (b"0\n1\n", 2))

    def test_an_iterator_is_used_up_before_the_next_call(self):
        stage = self.stage(
            """
            class Last:
                def __call__(self, n: int):
                    self.n = n
                    return (self.n for _ in range(2))
            """,
            "Last",
        )
        self.assertEqual(self.run_batch(stage, b"1\n2\n"), (b"1\n1\n2\n2\n", 4))

    def test_an_exception_keeps_what_came_before_and_calls_nothing_twice(self):
        stage = self.stage(
            """
            calls = []
            def f(n: int) -> int:
                calls.append(n)
                return helper(n)
            def helper(n):
                if n == 3:
                    raise ValueError("odd\\n  and more")
                return n * 2
            """
        )
        self.assertEqual(
            self.run_batch(stage, b"1\n2\n3\n4\n"),
            (b"2\n4\n", 2, 2, f"{stage.shown}:7: ValueError: odd and more"),
        )
        self.assertEqual(stage.call.__globals__["calls"], [1, 2, 3])

    def test_the_place_is_in_the_stages_file(self):
        stage = self.stage("import json\ndef f(s: str) -> str:\n    return json.loads(s)\n")
        why = self.run_batch(stage, b"x\n")[3]
        self.assertTrue(why.startswith(f"{stage.shown}:3: JSONDecodeError: "), why)

    def test_an_exception_without_a_place(self):
        stage = self.stage("from math import sqrt as f")
        _, _, index, why = self.run_batch(stage, b"4\n-1\n")
        self.assertEqual(index, 1)
        self.assertTrue(why.startswith(f"{stage.shown}: ValueError: "), why)

    def test_what_is_no_exception_fails_the_record_too(self):
        for statement, wanted in (
            ("sys.exit(4)", "sys.exit() called"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt"),
            ("raise StopIteration", "StopIteration"),
            ("raise GeneratorExit", "GeneratorExit"),
        ):
            stage = self.stage(f"import sys\ndef f(n: int) -> int:\n    {statement}\n")
            self.assertEqual(
                self.run_batch(stage, b"1\n"), (b"", 0, 0, f"{stage.shown}:3: {wanted}")
            )

    def test_a_record_that_cannot_be_read(self):
        stage = self.stage(
            """
            calls = []
            def f(n: int) -> int:
                calls.append(n)
                return n
            """
        )
        self.assertEqual(
            self.run_batch(stage, b"1\n2\nabc\n4\n"),
            (b"1\n2\n", 2, 2, "not an int: 'a' at byte 0"),
        )
        self.assertEqual(stage.call.__globals__["calls"], [1, 2])
        stage = self.stage("def f(s: str) -> str: return s")
        self.assertEqual(
            self.run_batch(stage, b"a\n\xff\n"),
            (b"a\n", 1, 1, "not UTF-8: invalid start byte at byte 0"),
        )

    def test_a_result_of_the_wrong_type(self):
        stage = self.stage("def mul(n: int) -> int: return n if n < 3 else str(n)", "mul")
        self.assertEqual(
            self.run_batch(stage, b"1\n2\n3\n4\n"),
            (b"1\n2\n", 2, 2, "mul() gave str where its annotation says int"),
        )

    def test_the_first_failing_record_counts(self):
        stage = self.stage(
            """
            def f(n: int) -> int:
                if n == 3:
                    raise ValueError
                return "x" if n == 2 else n
            """
        )
        self.assertEqual(
            self.run_batch(stage, b"1\n2\n3\n"),
            (b"1\n", 1, 1, "f() gave str where its annotation says int"),
        )

    def test_a_separator_in_a_record(self):
        for kind, text in (("str", "'a\\nb'"), ("bytes", "b'a\\nb'")):
            stage = self.stage(f"def f(n: int) -> {kind}: return {text} if n else {text}[:1]")
            self.assertEqual(
                self.run_batch(stage, b"0\n1\n0\n"),
                (
                    b"a\n", 1, 1,
                    "f() gave a record that holds a newline; use --frame nul or u32",
                ),
            )
            self.assertEqual(self.run_batch(stage, b"1\x000\0", NUL), (b"a\nb\0a\0", 2))
        stage = self.stage("def f(n: int) -> bytes: return b'\\0\\n'")
        self.assertEqual(
            self.run_batch(stage, b"1\0", NUL)[3],
            "f() gave a record that holds a zero byte; use --frame u32",
        )
        self.assertEqual(
            self.run_batch(stage, b"\1\0\0\x001", U32), (b"\2\0\0\0\0\n", 1)
        )

    def test_a_record_over_the_limit(self):
        stage = self.stage("def f(n: int) -> str: return 'x' * n")
        for framing in (NEWLINE, U32):
            data = framing.join([b"8", b"9", b"8"])
            self.assertEqual(
                self.run_batch(stage, data, framing, max_record=8),
                (
                    framing.join([b"x" * 8]), 1, 1,
                    "f() gave a record of 9 bytes, over the limit of 8",
                ),
            )
        data = NEWLINE.join([b"8"] * 4)
        self.assertEqual(self.run_batch(stage, data, max_record=8)[1], 4)

    def test_an_index_that_raises(self):
        stage = self.stage(
            """
            class Bad:
                def __index__(self):
                    raise ValueError("bad")
            def f(n: int) -> int: return Bad()
            """
        )
        self.assertEqual(
            self.run_batch(stage, b"1\n"),
            (
                b"", 0, 0,
                f"f() gave Bad that cannot be written: {stage.shown}:3: ValueError: bad",
            ),
        )

    def test_a_long_text_is_cut(self):
        stage = self.stage("def f(n: int) -> int: raise ValueError('x' * 5000)")
        self.assertLess(len(self.run_batch(stage, b"1\n")[3]), 700)

    def test_traceback(self):
        stage = self.stage("def f(n: int) -> int:\n    raise ValueError('odd')\n")
        for value, wanted in (("1", True), ("0", False)):
            stderr = io.StringIO()
            with mock.patch.dict(os.environ, LEAT_TRACEBACK=value):
                with contextlib.redirect_stderr(stderr):
                    self.run_batch(stage, b"1\n")
            self.assertEqual("Traceback" in stderr.getvalue(), wanted)


if __name__ == "__main__":
    unittest.main()
