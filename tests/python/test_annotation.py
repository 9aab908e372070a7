# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
import unittest

from support import PACKAGE, Case

from leat import annotation


class Annotations(Case):
    def of(self, text, before="from __future__ import annotations"):
        """What an annotation says, read as it stands and as a string."""
        found = []
        for first in ("", before):
            scope = {}
            source = (
                f"{first}\nimport collections.abc, typing\nfrom typing import *\n"
                f"def f(x) -> {text}: pass\n"
            )
            exec(source, scope)
            found.append(annotation.read(scope["f"], "return"))
        self.assertEqual(found[0], found[1], text)
        return found[0]

    def test_plain(self):
        for kind in (int, float, str, bytes):
            self.assertEqual(self.of(kind.__name__), (kind, False))

    def test_others_are_json(self):
        for text in ("dict", "List[int]", "Any", "None", "bool", "Union[int, str]"):
            self.assertEqual(self.of(text), (None, False), text)

    def test_optional(self):
        self.assertEqual(self.of("Optional[int]"), (int, False))
        self.assertEqual(self.of("Union[None, str]"), (str, False))
        if sys.version_info >= (3, 10):
            self.assertEqual(self.of("int | None"), (int, False))

    def test_several(self):
        for text in (
            "Iterator[int]",
            "Iterable[int]",
            "Generator[int, None, None]",
            "collections.abc.Iterator[int]",
            "Optional[Iterator[int]]",
            "Iterator[Optional[int]]",
        ):
            self.assertEqual(self.of(text), (int, True), text)
        self.assertEqual(self.of("Iterator"), (None, True))
        self.assertEqual(self.of("Iterator[dict]"), (None, True))

    def test_strings_that_cannot_be_evaluated(self):
        for text, wanted in (
            ("int | Nowhere", (None, False)),
            ("Nowhere[int]", (None, False)),
            ("Iterator[Nowhere]", (None, True)),
        ):
            def f(x): pass
            f.__annotations__ = {"x": "Missing", "return": text}
            self.assertEqual(annotation.read(f, "return"), wanted, text)
        self.assertEqual(annotation._of_text("int | None"), (int, False))
        self.assertEqual(annotation._of_text("typing.Optional[ int ]"), (int, False))
        self.assertEqual(annotation._of_text("Iterator[bytes | None]"), (bytes, True))

    def test_one_that_fails_does_not_spoil_the_other(self):
        scope = {"Line": str}
        exec("def f(x: 'Missing') -> 'Line': pass", scope)
        self.assertEqual(annotation.read(scope["f"], "return"), (str, False))

    def test_a_name_that_is_no_longer_the_builtin(self):
        scope = {"int": str}
        exec("def f(x: 'int'): pass", scope)
        self.assertEqual(annotation.read(scope["f"], "x"), (str, False))

    def test_annotated(self):
        self.assertEqual(self.of("'int'"), (int, False))
        scope = {}
        exec("from typing import Annotated\ndef f(x: Annotated[int, 1]): pass", scope)
        self.assertEqual(annotation.read(scope["f"], "x"), (int, False))

    def test_plain_ones_need_no_slow_import(self):
        code = (
            f"import sys; sys.path.insert(0, {PACKAGE!r})\n"
            "from leat import annotation, batch, host, stage\n"
            "def f(x: int) -> 'str': pass\n"
            "assert annotation.read(f, 'x') == (int, False)\n"
            "assert annotation.read(f, 'return') == (str, False)\n"
            "for slow in 'typing', 'json', 'inspect', 'difflib', 'traceback', 'threading':\n"
            "    assert slow not in sys.modules, slow\n"
        )
        # -I and -S: what the interpreter's own site imports is not ours to judge.
        subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


if __name__ == "__main__":
    unittest.main()
