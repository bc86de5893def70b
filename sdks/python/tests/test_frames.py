"""Golden frames: Python finds in each what is in it, and writes it with the same bytes, as every other language does."""

import json
import unittest
from pathlib import Path
from typing import Iterator

from troupe_plugin.wire import data, fields, number

GOLDEN = json.loads((Path(__file__).parents[3] / "conformance/vectors/frames.golden.json").read_text("utf8"))


class Frames(unittest.TestCase):
    def test_each_is_read_and_written(self) -> None:
        self.assertTrue(GOLDEN["frames"])
        for golden in GOLDEN["frames"]:
            with self.subTest(golden["name"]):
                frame = bytes.fromhex(golden["bytes"])
                self.assertEqual(self.same(frame, iter(golden["fields"].split(" "))), frame)

    def same(self, message: bytes, tokens: Iterator[str]) -> bytes:
        """The fields of a message, up to the end of the text or "}": `message` has those. Gives them as Python writes them."""
        left = fields(message)
        written = b""
        for token in tokens:
            if token == "}":
                break
            field, value = next(left)
            if token.endswith("{"):
                self.assertEqual(field, int(token[:-1]))
                written += data(field, self.same(value, tokens))
                continue
            name, _, expected = token.partition("=")
            self.assertEqual(field, int(name))
            if expected.startswith("x"):
                self.assertEqual(value, bytes.fromhex(expected[1:]))
                written += data(field, value)
            else:
                self.assertEqual(value, int(expected))
                written += number(field, value)
        self.assertEqual(list(left), [])
        return written


if __name__ == "__main__":
    unittest.main()
