"""Values that cross between languages unchanged, and what each is in Python.

    null None            boolean bool         number int (whole and up to 2**53 - 1) or float
    string str           Uint8Array bytes     bigint BigInt, and an int that no number holds
    array list           object dict          undefined UNDEFINED
    Date Date            Map Map              Set Set
    RegExp RegExp        Error Failure        other typed arrays, ArrayBuffer, DataView: View

`cbor.py` and `json_values.py` read and write them, as every other language does: `conformance/vectors` shows each.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, List, Mapping, Optional, Sequence, Tuple

MOST_SAFE = 2**53 - 1
#: As in every other language: of a big integer, its bytes; levels of a value, one in another; and entries in all.
BIGINT_BYTES, DEPTH, ENTRIES = 4096, 128, 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class ValueRefused(ValueError):
    """It isn't a value that crosses, or its bytes can't be read."""


class Undefined:
    """JavaScript's undefined. There is one, UNDEFINED, and it is false."""

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED = Undefined()


class BigInt(int):
    """A bigint of any size: an int that stays one in JavaScript, where an int that is small is a number."""

    def __repr__(self) -> str:
        return f"BigInt({int(self)})"


@dataclass(frozen=True)
class Date:
    """A moment in whole milliseconds since 1970; None for an invalid date. A datetime with a zone is written as one."""

    ms: Optional[int]

    @property
    def datetime(self) -> datetime:
        """In UTC. Raises OverflowError, or ValueError for an invalid date: Python's years end at 9999."""
        if self.ms is None:
            raise ValueError("an invalid date")
        return EPOCH + timedelta(milliseconds=self.ms)


@dataclass(frozen=True)
class RegExp:
    """A regular expression of JavaScript's."""

    source: str
    flags: str = ""


@dataclass(frozen=True)
class View:
    """Binary data that isn't a Uint8Array: `name` is its class in JavaScript. Its elements are little-endian."""

    name: str
    data: bytes

    def __post_init__(self) -> None:
        if self.name not in VIEWS:
            raise ValueRefused(f"there is no view {self.name!r}")
        if len(self.data) % VIEWS[self.name][1] != 0:
            raise ValueRefused(f"a {self.name} of a broken length")


@dataclass(frozen=True)
class Failure:
    """An Error as a value."""

    name: str
    message: str
    group: Optional[str] = None
    code: Optional[str] = None
    metadata: Optional[Mapping[str, Any]] = None
    retryable: bool = False


class Map:
    """A Map: entries in order, with keys of any kind. `dict(map.entries)` where they can be hashed."""

    def __init__(self, entries: Sequence[Tuple[Any, Any]] = ()):
        self.entries: List[Tuple[Any, Any]] = list(entries)

    def __repr__(self) -> str:
        return f"Map({self.entries!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and self.entries == other.entries


class Set:
    """A Set: elements of any kind, in order."""

    def __init__(self, elements: Sequence[Any] = ()):
        self.elements: List[Any] = list(elements)

    def __repr__(self) -> str:
        return f"Set({self.elements!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Set) and self.elements == other.elements


#: Kinds of views: the tag in CBOR, and the bytes of an element.
VIEWS = {
    "Uint8ClampedArray": (68, 1),
    "Uint16Array": (69, 2),
    "Uint32Array": (70, 4),
    "BigUint64Array": (71, 8),
    "Int8Array": (72, 1),
    "Int16Array": (77, 2),
    "Int32Array": (78, 4),
    "BigInt64Array": (79, 8),
    "Float16Array": (84, 2),
    "Float32Array": (85, 4),
    "Float64Array": (86, 8),
    "ArrayBuffer": (54_601, 1),
    "DataView": (54_602, 1),
}


class Budget:
    """What one value may still have. Raises ValueRefused past it."""

    def __init__(self) -> None:
        self._left = ENTRIES

    def enter(self, entries: int, level: int) -> None:
        self._left -= entries
        if level >= DEPTH:
            raise ValueRefused(f"more than {DEPTH} levels, one in another")
        if self._left < 0:
            raise ValueRefused(f"more than {ENTRIES} entries")


def is_safe(number: float) -> bool:
    """True for what is written as a whole number: -0 isn't."""
    if isinstance(number, int):
        return abs(number) <= MOST_SAFE
    return number.is_integer() and abs(number) <= MOST_SAFE and not (number == 0 and math.copysign(1, number) < 0)


def checked_bigint(number: int) -> BigInt:
    if number.bit_length() > BIGINT_BYTES * 8:
        raise ValueRefused(f"a bigint of more than {BIGINT_BYTES} bytes")
    return BigInt(number)


def checked_key(key: Any) -> str:
    """The name of a member of an object."""
    if not isinstance(key, str):
        raise ValueRefused(f"the name of a member is a {type(key).__name__}, not a str")
    if key == "__proto__":
        raise ValueRefused("__proto__ can't be the name of a member")
    return key


def date_of(moment: datetime) -> Date:
    """Raises ValueRefused for one without a zone: nobody could say which moment it is."""
    if moment.tzinfo is None:
        raise ValueRefused("a datetime without a zone")
    return Date((moment - EPOCH) // timedelta(milliseconds=1))


def failure_parts(failure: Failure) -> dict:
    """An Error's members, those that it has."""
    parts: dict = {"name": failure.name, "message": failure.message}
    if failure.group is not None:
        parts.update(group=failure.group, code=failure.code)
        if failure.metadata is not None:
            parts["metadata"] = failure.metadata
        if failure.retryable:
            parts["retryable"] = True
    return parts


def failure_of(parts: Any) -> Failure:
    get = parts.get
    group, code, metadata, retryable = get("group"), get("code"), get("metadata"), get("retryable", False)
    texts = (get("name"), get("message"), *(() if group is None and code is None else (group, code)))
    if not all(isinstance(text, str) for text in texts):
        raise ValueRefused("an Error without what an error has")
    if not isinstance(metadata, (dict, type(None))) or not isinstance(retryable, bool):
        raise ValueRefused("an Error with what no error has")
    return Failure(texts[0], texts[1], group, code, metadata, retryable)
