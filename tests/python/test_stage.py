# SPDX-License-Identifier: Apache-2.0
import os
import sys
import threading
import unittest

from support import Case

from leat.loading import Refusal
from leat.stage import Stage


class Loading(Case):
    def refusal(self, target, function, is_module=False):
        with self.assertRaises(Refusal) as caught:
            Stage(target, function, is_module)
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line

    def test_a_function(self):
        stage = self.stage("def f(n: int) -> str: return str(n + 1)")
        self.assertEqual(stage.reader.read(b"1"), 1)
        self.assertEqual(stage.call(1), "2")
        self.assertFalse(stage.several)

    def test_two_stages_of_one_file_share_it(self):
        path = self.write(
            """
            with open("loads", "a") as file: file.write("x")
            seen = []
            def put(n: int) -> int: seen.append(n); return n
            def get(n: int) -> int: return len(seen)
            """
        )
        os.symlink(path, "other.py")
        put = Stage(path, "put")
        get = Stage("./other.py", "get")
        put.call(1)
        self.assertEqual(get.call(0), 1)
        with open("loads", encoding="utf-8") as file:
            self.assertEqual(file.read(), "x")

    def test_many_threads_load_once(self):
        path = self.write(
            """
            import time
            with open("loads", "a") as file: file.write("x")
            time.sleep(0.02)
            def f(n): return n
            """
        )
        threads = [threading.Thread(target=Stage, args=(path, "f")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(os.path.getsize("loads"), 1)

    def test_the_path_is_as_for_a_script(self):
        self.write("VALUE = 7", "deep/helper_of_deep.py")
        path = self.write(
            """
            import helper_of_deep
            def f(n: int) -> int: return helper_of_deep.VALUE
            """,
            "deep/user_of_helper.py",
        )
        self.assertEqual(Stage(path, "f").call(0), 7)
        self.assertEqual(sys.path[0], os.path.join(self.folder, "deep"))
        Stage(path, "f")
        self.assertEqual(sys.path.count(sys.path[0]), 1)

    def test_a_taken_name_stays_with_its_module(self):
        import unittest as before

        stage = self.stage("def f(n: int) -> int: return n * 2", path="unittest.py")
        self.assertIs(sys.modules["unittest"], before)
        self.assertEqual(stage.call(2), 4)

    def test_a_stem_is_importable(self):
        self.stage("def f(n: int) -> int: return n", path="importable_stem.py")
        self.assertIn("importable_stem", sys.modules)

    def test_a_module(self):
        self.write("def f(n: int) -> int: return n + 1", "package_of_test/part.py")
        stage = Stage("package_of_test.part", "f", True)
        self.assertEqual(stage.call(1), 2)
        self.assertEqual(sys.path[0], self.folder)
        self.assertEqual(Stage("math", "factorial", True).call(5), (120,))

    def test_a_missing_module(self):
        self.assertEqual(
            self.refusal("no_such_module", "f", True), "no module named 'no_such_module'"
        )
        self.write("import no_such_thing", "importer_of_nothing.py")
        self.assertEqual(
            self.refusal("importer_of_nothing", "f", True),
            "importer_of_nothing: importer_of_nothing.py:1:"
            " ModuleNotFoundError: No module named 'no_such_thing'",
        )

    def test_a_missing_file(self):
        self.assertEqual(self.refusal("no.py", "f"), "no.py: No such file or directory")
        os.mkdir("folder.py")
        self.assertEqual(self.refusal("folder.py", "f"), "folder.py: Is a directory")

    def test_a_missing_function(self):
        path = self.write(
            """
            from os.path import join
            def mul(n): pass
            def add(n): pass
            def _hidden(n): pass
            LIMIT = 3
            """
        )
        self.assertEqual(
            self.refusal(path, "mull"),
            f"{path} has no function 'mull'; it has: add, mul; did you mean mul?",
        )
        self.assertEqual(
            self.refusal(path, "xyz"), f"{path} has no function 'xyz'; it has: add, mul"
        )
        self.assertEqual(self.refusal(path, "LIMIT"), f"{path}: LIMIT is no function, but int")
        self.assertEqual(self.refusal(path, "LIMIT.x"), f"{path} has no function 'x'")

    def test_an_exception_while_importing(self):
        path = self.write("import json\n\njson.loads('x')\n")
        line = self.refusal(path, "f")
        self.assertTrue(line.startswith(f"{path}:3: JSONDecodeError: Expecting value"), line)
        self.assertEqual(self.refusal(path, "f"), line)
        self.assertEqual(
            self.refusal(self.write("import sys\nsys.exit(3)", "exits.py"), "f"),
            "exits.py:2: sys.exit() called",
        )
        self.assertNotIn("exits", sys.modules)

    def test_a_syntax_error(self):
        path = self.write("x = 1\ndef f(:\n", "deep/wrong.py")
        line = self.refusal(path, "f")
        self.assertTrue(line.startswith("deep/wrong.py:2: SyntaxError: "), line)
        self.assertNotIn("(", line.partition("SyntaxError")[2])

    def test_parameters(self):
        path = self.write(
            """
            import functools, math
            def none() -> int: return 1
            def two(a, b): pass
            def keyword(a, *, b): pass
            def default(a: int = 3, b=4) -> int: return a
            def rest(*all: int) -> int: return all[0]
            def option(a: int, *, b=1) -> int: return a
            async def later(a): pass
            async def stream(a): yield a
            @functools.wraps(two)
            def wrapped(*a, **k): pass
            @functools.lru_cache
            def cached(a: int) -> int: return a
            def add(a: int, b: int) -> int: return a + b
            add3 = functools.partial(add, 3)
            builtin = math.floor
            """
        )
        self.assertEqual(
            self.refusal(path, "none"),
            f"{path}: none() takes no parameter; a stage takes one, the record",
        )
        self.assertEqual(
            self.refusal(path, "two"),
            f"{path}: two() takes 2 parameters (a, b); a stage takes one, the record",
        )
        self.assertIn("keyword() takes 2 parameters (a, b)", self.refusal(path, "keyword"))
        self.assertIn("wrapped() takes 2 parameters", self.refusal(path, "wrapped"))
        for name in ("later", "stream"):
            self.assertEqual(
                self.refusal(path, name),
                f"{path}: {name}() is async; a stage is a plain function",
            )
        for name, wanted in (
            ("default", 5), ("rest", 5), ("option", 5), ("cached", 5), ("add3", 8),
        ):
            stage = Stage(path, name)
            self.assertEqual(stage.reader.read(b"05"), 5, name)
            self.assertEqual(stage.call(5), wanted, name)
        self.assertEqual(Stage(path, "builtin").call(2.5), (2,))

    def test_a_class_is_built_for_each_stage(self):
        path = self.write(
            """
            class Count:
                def __init__(self): self.n = 0
                def __call__(self, record: bytes) -> int:
                    self.n += 1
                    return self.n
                def close(self): self.n = -1
                def text(self, record: str) -> str: return record + str(self.n)
                @staticmethod
                def double(n: int) -> int: return n * 2
                @classmethod
                def name(cls, n: int) -> str: return cls.__name__
            """
        )
        first, second = Stage(path, "Count"), Stage(path, "Count")
        self.assertEqual([first.call(b""), first.call(b""), second.call(b"")], [1, 2, 1])
        self.assertEqual(first.reader.read(b"\xff"), b"\xff")
        self.assertIsNotNone(first.close)
        method = Stage(path, "Count.text")
        self.assertEqual(method.call("a"), "a0")
        self.assertIsNotNone(method.close)
        self.assertEqual(Stage(path, "Count.double").call(4), 8)
        self.assertEqual(Stage(path, "Count.name").call(4), "Count")
        self.assertIsNone(Stage(path, "Count.name").close)

    def test_a_class_that_cannot_be_built(self):
        path = self.write(
            """
            class Mute: pass
            class Odd:
                def __init__(self):
                    raise ValueError("odd")
            class Needs:
                def __init__(self, k): pass
            """
        )
        self.assertEqual(self.refusal(path, "Mute"), f"{path}: class Mute has no __call__")
        self.assertEqual(
            self.refusal(path, "Odd"), f"Odd() cannot be built: {path}:4: ValueError: odd"
        )
        self.assertIn("missing 1 required positional argument: 'k'", self.refusal(path, "Needs"))

    def test_dataclasses_and_string_annotations(self):
        stage = self.stage(
            """
            from __future__ import annotations
            import dataclasses, typing
            if typing.TYPE_CHECKING:
                from nowhere import Config
            @dataclasses.dataclass
            class Point:
                x: typing.ClassVar[int] = 3
            def f(n: int, config: Config = None) -> typing.Iterator[str]:
                yield str(n + Point.x)
            """
        )
        self.assertEqual(stage.reader.read(b"4"), 4)
        self.assertEqual(stage.call(4), ["7"])
        self.assertEqual(stage.writer.write("7"), b"7")


if __name__ == "__main__":
    unittest.main()
