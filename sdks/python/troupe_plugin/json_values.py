"""Values as JSON: what JSON can't say is a list that begins with "$", as ["$Date", 0], and a list that begins so has one more.

What is read and plain, as most is, costs Python's own codec and one look for what isn't.
"""

import base64
import binascii
import json
import math
import re
from datetime import datetime
from typing import Any, List, Optional

from .limits import PLUGIN_FRAME_BYTES
from .values import (
    MOST_SAFE,
    UNDEFINED,
    VIEWS,
    BigInt,
    Budget,
    Date,
    Failure,
    Map,
    RegExp,
    Set,
    ValueRefused,
    View,
    checked_bigint,
    checked_key,
    date_of,
    failure_of,
    failure_parts,
    is_safe,
)

#: One value, and what is around it in its frame.
_VALUE_BYTES = PLUGIN_FRAME_BYTES - 4096
#: A special, or one in disguise; a name that is refused; an integer that no number holds.
_NOT_PLAIN = re.compile(rb'"\$|\\u00|__proto__|[0-9]{16}')


def encode_json(value: Any) -> bytes:
    """Raises ValueRefused for what isn't a value, and for what no frame holds."""
    return checked_size(json.dumps(_tree(value, Budget(), 0), ensure_ascii=True, separators=(",", ":")).encode())


def checked_size(content: bytes, most: int = _VALUE_BYTES) -> bytes:
    """Raises ValueRefused for what a frame between host and plugin has no room for: a longer one ends the plugin."""
    if len(content) > most:
        raise ValueRefused(f"{len(content)} bytes are more than a plugin says at once ({most})")
    return content


def decode_json(content: bytes) -> Any:
    """Raises ValueRefused for what isn't one value."""
    try:
        parsed = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueRefused(f"it isn't JSON: {error}") from None
    return _revived(parsed, Budget(), 0) if _NOT_PLAIN.search(content) else parsed


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} isn't JSON")


def _tree(value: Any, budget: Budget, level: int) -> Any:
    """What json.dumps writes as `value`."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (list, tuple)):
        budget.enter(len(value), level)
        tree = [_tree(element, budget, level + 1) for element in value]
        if tree and isinstance(tree[0], str) and tree[0].startswith("$"):
            tree[0] = f"${tree[0]}"
        return tree
    if isinstance(value, dict):
        return _members(value, budget, level)
    if isinstance(value, (int, float)):
        return _number_tree(value)
    if isinstance(value, Map):
        budget.enter(2 * len(value.entries), level)
        entries = [[_tree(part, budget, level + 1) for part in entry] for entry in value.entries]
        return ["$Map", entries]
    if isinstance(value, Set):
        budget.enter(len(value.elements), level)
        return ["$Set", [_tree(element, budget, level + 1) for element in value.elements]]
    if isinstance(value, Failure):
        return ["$Error", _members(failure_parts(value), budget, level)]
    return _scalar_tree(value)


def _members(members: Any, budget: Budget, level: int) -> dict:
    budget.enter(len(members), level)
    return {checked_key(key): _tree(member, budget, level + 1) for key, member in members.items()}


def _number_tree(value: float) -> Any:
    if isinstance(value, BigInt) or (isinstance(value, int) and abs(value) > MOST_SAFE):
        return ["$BigInt", _digits(checked_bigint(value))]
    if is_safe(value):
        return int(value)
    if value == 0:
        return ["$Number", "-0"]
    if math.isnan(value):
        return ["$Number", "NaN"]
    if math.isinf(value):
        return ["$Number", "Infinity" if value > 0 else "-Infinity"]
    return value


def _scalar_tree(value: Any) -> Any:
    if value is UNDEFINED:
        return ["$Undefined"]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ["$Uint8Array", base64.b64encode(value).decode()]
    if isinstance(value, datetime):
        return ["$Date", date_of(value).ms]
    if isinstance(value, Date):
        return ["$Date", value.ms]
    if isinstance(value, RegExp):
        return ["$RegExp", [value.source, value.flags]]
    if isinstance(value, View):
        return [f"${value.name}", base64.b64encode(value.data).decode()]
    raise ValueRefused(f"a {type(value).__name__} isn't a value that crosses")


def _revived(parsed: Any, budget: Budget, level: int) -> Any:
    """The value of a parsed text, in place where it can be."""
    if isinstance(parsed, dict):
        budget.enter(len(parsed), level)
        for key, member in parsed.items():
            checked_key(key)
            if not isinstance(member, str):
                parsed[key] = _revived(member, budget, level + 1)
        return parsed
    if isinstance(parsed, list):
        first = parsed[0] if parsed else None
        if not isinstance(first, str) or not first.startswith("$"):
            return _elements(parsed, budget, level)
        if first.startswith("$$"):
            parsed[0] = first[1:]
            return _elements(parsed, budget, level)
        if len(parsed) > 2:
            raise ValueRefused(f"{first} has more than one operand")
        return _special(first[1:], parsed[1] if len(parsed) == 2 else None, budget, level)
    if isinstance(parsed, int) and abs(parsed) > MOST_SAFE:
        return _rounded(parsed)
    return parsed


def _rounded(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _elements(parsed: List[Any], budget: Budget, level: int) -> List[Any]:
    budget.enter(len(parsed), level)
    for at, element in enumerate(parsed):
        if not isinstance(element, str):
            parsed[at] = _revived(element, budget, level + 1)
    return parsed


def _special(name: str, operand: Any, budget: Budget, level: int) -> Any:
    if name == "Undefined":
        return UNDEFINED
    if name == "Number":
        return _one_of({"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}, operand)
    if name == "BigInt":
        return checked_bigint(_decimal(operand))
    if name == "Date":
        if operand is not None and (isinstance(operand, bool) or not isinstance(operand, int)):
            raise ValueRefused("$Date without milliseconds")
        return Date(operand)
    if name == "RegExp":
        parts = _list(operand, name)
        if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
            raise ValueRefused("$RegExp without a source")
        return RegExp(*parts)
    if name == "Map":
        return _map(_list(operand, name), budget, level)
    if name == "Set":
        return Set(_elements(_list(operand, name), budget, level))
    if name == "Error":
        if not isinstance(operand, dict):
            raise ValueRefused("$Error without an object")
        return failure_of(_revived(operand, budget, level))
    if name != "Uint8Array" and name not in VIEWS:
        raise ValueRefused("an unknown special type")
    content = _base64(operand)
    return content if name == "Uint8Array" else View(name, content)


def _map(entries: List[Any], budget: Budget, level: int) -> Map:
    budget.enter(2 * len(entries), level)
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 2:
            raise ValueRefused("an entry of $Map isn't a pair")
    return Map([(_revived(key, budget, level + 1), _revived(entry, budget, level + 1)) for key, entry in entries])


def _list(operand: Any, name: str) -> List[Any]:
    if not isinstance(operand, list):
        raise ValueRefused(f"${name} without an array")
    return operand


def _one_of(known: dict, operand: Any) -> float:
    if not isinstance(operand, str) or operand not in known:
        raise ValueRefused("$Number of none of the special numbers")
    return known[operand]


def _decimal(operand: Any) -> int:
    digits: Optional[str] = operand if isinstance(operand, str) else None
    if digits is not None and len(digits) < 10_000 and (digits == "0" or digits.lstrip("-")[:1] in "123456789"):
        plain = digits[1:] if digits.startswith("-") else digits
        if plain.isascii() and plain.isdigit():
            return _whole(plain) * (-1 if digits.startswith("-") else 1)
    raise ValueRefused("$BigInt without a decimal number")


def _whole(digits: str) -> int:
    """In parts: Python refuses to read more than some thousand digits at once."""
    number = 0
    for at in range(0, len(digits), 4000):
        part = digits[at : at + 4000]
        number = number * 10 ** len(part) + int(part)
    return number


def _digits(number: int) -> str:
    """In parts, as well."""
    rest, parts = abs(number), []
    while rest >= 10**4000:
        rest, part = divmod(rest, 10**4000)
        parts.append(f"{part:04000d}")
    return "".join(("-" if number < 0 else "", f"{rest:d}", *reversed(parts)))


def _base64(operand: Any) -> bytes:
    try:
        if isinstance(operand, str):
            return base64.b64decode(operand, validate=True)
    except binascii.Error:
        pass
    raise ValueRefused("binary data without base64")
