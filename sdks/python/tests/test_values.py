"""Golden encodings: Python reads and writes each as every other language does, and refuses what they refuse."""

import json
import unittest
from datetime import datetime, timezone
from pathlib import Path

from troupe_plugin.cbor import decode_cbor, encode_cbor
from troupe_plugin.json_values import decode_json, encode_json
from troupe_plugin.values import UNDEFINED, BigInt, Date, Failure, Map, Set, ValueRefused, View

GOLDEN = json.loads((Path(__file__).parents[3] / "conformance/vectors/values.golden.json").read_text("utf8"))


def comparable(value: object) -> object:
    """What tells values apart, types and -0 too; not of a big integer, whose digits Python doesn't like to write."""
    return hex(value) if isinstance(value, BigInt) else repr(value)


class Golden(unittest.TestCase):
    def test_each_value_is_read_and_written_in_both_encodings(self) -> None:
        for golden in GOLDEN["values"]:
            with self.subTest(golden["name"]):
                by_cbor = decode_cbor(bytes.fromhex(golden["cbor"]))
                by_json = decode_json(golden["json"].encode())
                self.assertEqual(repr(by_cbor), repr(by_json))
                for value in (by_cbor, by_json):
                    self.assertEqual(encode_cbor(value).hex(), golden["cbor"])
                    self.assertEqual(json.loads(encode_json(value)), json.loads(golden["json"]))

    def test_no_value_is_read_of_a_part_of_its_bytes(self) -> None:
        for golden in GOLDEN["values"]:
            content = bytes.fromhex(golden["cbor"])
            for end in range(len(content)):
                with self.subTest(golden["name"], end=end), self.assertRaises(ValueRefused):
                    decode_cbor(content[:end])

    def test_what_others_refuse_is_refused(self) -> None:
        for refused in GOLDEN["refused"]:
            with self.subTest(refused["name"]), self.assertRaises(ValueRefused):
                decode_cbor(bytes.fromhex(refused["cbor"]))


class Native(unittest.TestCase):
    """What Python's own types become, and come back as."""

    def test_types(self) -> None:
        moment = datetime(2024, 5, 6, 7, 8, 9, 123_000, timezone.utc)
        same = [None, True, "a\ud800", b"\x00\xff", 1.5, {"a": [UNDEFINED]}, Map([([1], Set([1]))]), BigInt(-1)]
        same += [BigInt(2**32_767), BigInt(10**4000), View("DataView", b"a"), 2**53 - 1, Failure("E", "m"), Failure("T", "m", "g", "c", {"at": b"x"}, True), Date(None)]
        become = [(moment, Date(1_714_979_289_123)), ((1, 2), [1, 2]), (2.0, 2), (2**53, BigInt(2**53))]
        become += [(bytearray(b"a"), b"a"), (-(2**70), BigInt(-(2**70)))]
        for given, got in [(value, value) for value in same] + become:
            for read, write in ((decode_cbor, encode_cbor), (decode_json, encode_json)):
                with self.subTest(type(given).__name__, by=write.__name__):
                    self.assertEqual(comparable(read(write(given))), comparable(got))
        self.assertEqual(Date(1_714_979_289_123).datetime, moment)

    def test_what_is_no_value_is_refused(self) -> None:
        deep: list = []
        for _ in range(128):
            deep = [deep]
        for odd in (object(), {1: 2}, {"__proto__": 1}, {1, 2}, datetime(2024, 5, 6), deep, 1 << 33_000, print):
            for write in (encode_cbor, encode_json):
                with self.subTest(type(odd).__name__, by=write.__name__), self.assertRaises(ValueRefused):
                    write(odd)

    def test_json_that_is_no_value_is_refused(self) -> None:
        for odd in ('["$Date",1.5]', '["$Date"', '["$Nobody",1]', '["$BigInt","01"]', '["$BigInt","-0"]', "NaN", '["$Map",[1]]',
                    '["$Int16Array","AA=="]', '["$Uint8Array","a"]', '["$Number","1"]', '{"__proto__":1}', '["$Error",{}]',
                    '["$Set",1]', '["$Undefined",1,2]', '["$RegExp",["a"]]', '[["$$a"],' + "[" * 129 + "]" * 130, "[" * 99_999):
            with self.subTest(odd[:40]), self.assertRaises(ValueRefused):
                decode_json(odd.encode())


if __name__ == "__main__":
    unittest.main()
