"""Errors travel, whatever they are: an error that can't be written would leave its call without an answer."""

import sys
import unittest
from typing import Any

from troupe_plugin.plugin import ERROR_TEXT, GuardrailRejected, PluginError, error_of, reason_of, told_of
from troupe_plugin.wire import fields


class Ugly(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


class Exits(Ugly):
    def __str__(self) -> str:
        sys.exit(2)


class Meta(type(Exception)):
    @property
    def __name__(cls) -> str:
        raise ValueError("no name")


class Nameless(Exception, metaclass=Meta):
    pass


class Bare(PluginError):
    def __init__(self) -> None:
        """Has nothing of what an error has."""


class Hidden(PluginError):
    @property
    def metadata(self) -> Any:
        raise ValueError("no metadata")

    @metadata.setter
    def metadata(self, value: Any) -> None:
        pass


def later(name: str, value: Any) -> PluginError:
    error = PluginError("mine", "x")
    setattr(error, name, value)
    return error


def said(error: BaseException) -> dict:
    return {field: value.decode() if isinstance(value, bytes) else value for field, value in fields(error_of(error))}


class Errors(unittest.TestCase):
    def test_what_is_no_plugin_error_is_internal_with_what_can_be_said(self) -> None:
        mute = "an error that can't say what it is"
        for error, text in (
            (ValueError("why"), "ValueError: why"),
            (Ugly(), f"Ugly: {mute}"),
            (Exits(), f"Exits: {mute}"),
            (ValueError(Ugly()), f"ValueError: {mute}"),
            (Nameless("why"), "error: why"),
            (ValueError("half \ud800"), "ValueError: half ?"),
            (Bare(), "Bare: "),
            (later("code", 404), "PluginError: x"),
            (later("code", None), "PluginError: x"),
            (later("group", 7), "PluginError: x"),
        ):
            self.assertEqual(said(error), {1: "internal", 2: "error", 3: text})
            self.assertEqual(reason_of(error), "internal.error")
            self.assertEqual(told_of(error), text.replace("\ud800", "?"))

    def test_a_plugin_error_keeps_its_name_without_what_can_not_be_sent(self) -> None:
        nested: Any = []
        for _ in range(100_000):
            nested = [nested]
        for error in (
            PluginError("mine", "x", metadata={"a": object()}),
            PluginError("mine", "x", metadata=nested),
            later("metadata", Ugly()),
            Hidden("mine", "x"),
        ):
            self.assertEqual(said(error), {1: "user", 2: "mine", 3: "x", 4: "", 6: 1})
            self.assertEqual(reason_of(error), "user.mine")
        self.assertEqual(said(GuardrailRejected("no \udcff"))[3], "no ?")

    def test_a_text_of_any_length_is_cut(self) -> None:
        self.assertEqual(len(said(ValueError("x" * 6_000_000))[3]), ERROR_TEXT + len("ValueError: "))
        self.assertEqual(said(PluginError("mine", "é" * 6_000_000))[3], "é" * ERROR_TEXT)

    def test_a_code_or_a_group_that_is_no_text_is_refused_where_it_is_said(self) -> None:
        with self.assertRaisesRegex(TypeError, "the code of a PluginError is a int, not a str"):
            PluginError(404, "not found")  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "the group of a PluginError is a NoneType, not a str"):
            PluginError("mine", "x", None)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
