# SPDX-License-Identifier: Apache-2.0
import unittest

from support import Case

from leat import codec
from leat.codec import RecordError


class OneAtATime(Case):
    def check(self, kind, record, value, back=None):
        one = codec.for_type(kind)
        self.assertEqual(one.read(record), value)
        self.assertIs(type(one.read(record)), type(value))
        self.assertEqual(one.read_all([record]), [value])
        written = record if back is None else back
        self.assertEqual(one.write(value), written)
        self.assertEqual(one.pack([value, value], {type(value)}, b"\n"), (written + b"\n") * 2)

    def complaint(self, call, argument):
        with self.assertRaises(RecordError) as caught:
            call(argument)
        return str(caught.exception)

    def test_int(self):
        self.check(int, b"11", 11)
        self.check(int, b" -7 ", -7, b"-7")
        self.check(int, b"+007", 7, b"7")

    def test_int_has_no_upper_bound(self):
        digits = b"1" + b"0" * 9999
        self.check(int, digits, 10**9999)

    def test_int_complaints(self):
        read = codec.for_type(int).read
        self.assertEqual(self.complaint(read, b""), "not an int: empty")
        self.assertEqual(self.complaint(read, b"-"), "not an int: no digits")
        self.assertEqual(self.complaint(read, b"1.5"), "not an int: '.' at byte 1")
        self.assertEqual(self.complaint(read, b"1\xff"), "not an int: '\\xff' at byte 1")
        write = codec.for_type(int).write
        self.assertEqual(self.complaint(write, "3"), "gave str where its annotation says int")
        self.assertEqual(self.complaint(write, 3.0), "gave float where its annotation says int")

    def test_int_takes_what_counts_as_one(self):
        class Index:
            def __index__(self):
                return 5

        write = codec.for_type(int).write
        self.assertEqual(write(Index()), b"5")
        self.assertEqual(write(True), b"1")
        pack = codec.for_type(int).pack
        self.assertEqual(pack([True, 2], {bool, int}, b"\n"), b"1\n2\n")
        with self.assertRaises(TypeError):
            pack([1, 2.5], {int, float}, b"\n")

    def test_float(self):
        self.check(float, b"0.1", 0.1)
        self.check(float, b"3", 3.0, b"3.0")
        self.check(float, b"1e300", 1e300, b"1e+300")
        self.check(float, b"inf", float("inf"))
        one = codec.for_type(float)
        self.assertEqual(one.write(2), b"2.0")
        self.assertEqual(one.pack([1, 2.5], {int, float}, b"\n"), b"1.0\n2.5\n")

    def test_float_complaints(self):
        one = codec.for_type(float)
        self.assertEqual(self.complaint(one.read, b"abc"), "not a float")
        self.assertEqual(self.complaint(one.read, b" "), "not a float: empty")
        for value in ("1.5", b"1.5"):
            self.assertIn("where its annotation says float", self.complaint(one.write, value))
        self.assertIn("too large", self.complaint(one.write, 10**400))

    def test_a_subclass_of_float_is_written_as_a_float(self):
        class Special(float):
            def __repr__(self):
                return "Special"

        self.assertEqual(codec.for_type(float).write(Special(0.5)), b"0.5")

    def test_str(self):
        self.check(str, "läuft".encode(), "läuft")
        self.check(str, b"", "")
        one = codec.for_type(str)
        self.assertEqual(
            self.complaint(one.read, b"ab\xff"), "not UTF-8: invalid start byte at byte 2"
        )
        self.assertIn("at byte 2", self.complaint(one.write, "ä\ud800"))
        self.assertEqual(self.complaint(one.write, 3), "gave int where its annotation says str")

    def test_bytes(self):
        self.check(bytes, b"\xff\x00 \r", b"\xff\x00 \r")
        one = codec.for_type(bytes)
        self.assertEqual(one.write(bytearray(b"ab")), b"ab")
        self.assertEqual(self.complaint(one.write, 3), "gave int where its annotation says bytes")

    def test_a_separator_in_a_value_is_not_packed(self):
        for kind, value in ((str, "a\nb"), (bytes, b"a\nb")):
            with self.assertRaises(ValueError):
                codec.for_type(kind).pack([value], {kind}, b"\n")

    def test_json(self):
        self.check(None, b'{"a":[1,2.5,null,"\xc3\xa4"]}', {"a": [1, 2.5, None, "ä"]})
        one = codec.for_type(None)
        self.assertEqual(one.write("a\nb\0"), b'"a\\nb\\u0000"')
        complaint = self.complaint(one.read, b"abc")
        self.assertTrue(complaint.startswith("not JSON: Expecting value at character 0;"))
        self.assertTrue(complaint.endswith("annotate the parameter (str, bytes, int, float)"))
        self.assertIn("gave set that JSON cannot hold", self.complaint(one.write, {1}))
        self.assertIn("not JSON", self.complaint(one.read, b"[" * 200000))
        self.assertIn("UTF-8", self.complaint(one.write, "\ud800"))


if __name__ == "__main__":
    unittest.main()
