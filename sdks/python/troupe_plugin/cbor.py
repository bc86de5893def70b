"""Values as CBOR (RFC 8949), each in its shortest form, so that every language writes the same bytes."""

import math
import struct
from datetime import datetime
from typing import Any, List, Tuple

from .values import (
    BIGINT_BYTES,
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

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
SECONDS, BIGNUM, NEGATIVE_BIGNUM, UINT8, SET_TAG, MAP_TAG, REGEXP = 1, 2, 3, 64, 258, 259, 21_066
ERROR, UTF16, MILLISECONDS = 54_600, 54_603, 54_604
BY_TAG = {tag: name for name, (tag, _size) in VIEWS.items()}
# Up to here a date's seconds are exact.
EXACT_SECONDS_MS = 2**51


def encode_cbor(value: Any) -> bytes:
    """Raises ValueRefused for what isn't a value."""
    writer = _Writer()
    writer.value(value, 0)
    return b"".join(writer.out)


def decode_cbor(content: bytes) -> Any:
    """Raises ValueRefused for what isn't one value."""
    reader = _Reader(content)
    value = reader.value(0)
    if reader.at != len(content):
        raise ValueRefused("there is more behind the value")
    return value


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes((major << 5 | argument,))
    for info, size, form in ((24, 8, ">BB"), (25, 16, ">BH"), (26, 32, ">BI")):
        if argument < 1 << size:
            return struct.pack(form, major << 5 | info, argument)
    return struct.pack(">BQ", major << 5 | 27, argument)


def _float(number: float) -> bytes:
    """What is no integer: -0, infinities and NaN as halves, the rest in single precision where that is exact."""
    if math.isnan(number):
        return b"\xf9\x7e\x00"
    if number == 0 or math.isinf(number):
        return struct.pack(">Be", 0xF9, number)
    try:
        single = struct.pack(">f", number)
    except OverflowError:
        return struct.pack(">Bd", 0xFB, number)
    return b"\xfa" + single if struct.unpack(">f", single)[0] == number else struct.pack(">Bd", 0xFB, number)


def _number(number: float) -> bytes:
    if not is_safe(number):
        return _float(float(number))
    whole = int(number)
    return _head(UNSIGNED, whole) if whole >= 0 else _head(NEGATIVE, -1 - whole)


def _text(text: str) -> bytes:
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = text.encode("utf-16-le", "surrogatepass")
        return _head(TAG, UTF16) + _head(BYTES, len(content)) + content
    return _head(TEXT, len(content)) + content


def _bigint(number: int) -> bytes:
    checked_bigint(number)
    magnitude = number if number >= 0 else -1 - number
    content = magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")
    return _head(TAG, BIGNUM if number >= 0 else NEGATIVE_BIGNUM) + _head(BYTES, len(content)) + content


def _date(ms: Any) -> bytes:
    if ms is None:
        return _head(TAG, SECONDS) + _float(math.nan)
    if abs(ms) > EXACT_SECONDS_MS:
        return _head(TAG, MILLISECONDS) + _number(ms)
    return _head(TAG, SECONDS) + _number(ms / 1000)


def _bytes(content: bytes) -> bytes:
    return _head(BYTES, len(content)) + content


def _scalar(value: Any) -> Any:
    """The bytes of what has nothing in it; None for what may have."""
    if value is None or value is UNDEFINED:
        return b"\xf6" if value is None else b"\xf7"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, BigInt) or (isinstance(value, int) and abs(value) > MOST_SAFE):
        return _bigint(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    if isinstance(value, datetime):
        return _date(date_of(value).ms)
    if isinstance(value, Date):
        return _date(value.ms)
    if isinstance(value, RegExp):
        return _head(TAG, REGEXP) + _head(ARRAY, 2) + _text(value.source) + _text(value.flags)
    if isinstance(value, View):
        return _head(TAG, VIEWS[value.name][0]) + _bytes(value.data)
    return None


class _Writer:
    def __init__(self) -> None:
        self.out: List[bytes] = []
        self._budget = Budget()

    def value(self, value: Any, level: int) -> None:
        scalar = _scalar(value)
        if scalar is not None:
            self.out.append(scalar)
        elif isinstance(value, (list, tuple)):
            self._elements(value, level)
        elif isinstance(value, dict):
            self._members(value, level)
        elif isinstance(value, Failure):
            self.out.append(_head(TAG, ERROR))
            self._members(failure_parts(value), level)
        elif isinstance(value, Set):
            self.out.append(_head(TAG, SET_TAG))
            self._elements(value.elements, level)
        elif isinstance(value, Map):
            self._entries(value.entries, level)
        else:
            raise ValueRefused(f"a {type(value).__name__} isn't a value that crosses")

    def _elements(self, elements: Any, level: int) -> None:
        self._budget.enter(len(elements), level)
        self.out.append(_head(ARRAY, len(elements)))
        for element in elements:
            self.value(element, level + 1)

    def _members(self, members: dict, level: int) -> None:
        self._budget.enter(len(members), level)
        self.out.append(_head(MAP, len(members)))
        for key, member in members.items():
            self.out.append(_text(checked_key(key)))
            self.value(member, level + 1)

    def _entries(self, entries: List[Tuple[Any, Any]], level: int) -> None:
        self._budget.enter(2 * len(entries), level)
        self.out.append(_head(TAG, MAP_TAG) + _head(MAP, len(entries)))
        for key, entry in entries:
            self.value(key, level + 1)
            self.value(entry, level + 1)


class _Reader:
    def __init__(self, content: bytes):
        self._content = content
        self._budget = Budget()
        self.at = 0

    def value(self, level: int) -> Any:
        major, info, argument = self._head()
        if major in (UNSIGNED, NEGATIVE):
            return _integer(argument, major == NEGATIVE)
        if major == BYTES:
            return self._take(argument)
        if major == TEXT:
            return self._utf8(argument)
        if major == ARRAY:
            return self._elements(argument, level)
        if major == MAP:
            return self._members(argument, level)
        return self._tagged(argument, level) if major == TAG else _simple(info, argument)

    def _head(self) -> Tuple[int, int, int]:
        initial = self._take(1)[0]
        info = initial & 31
        if info > 27:
            raise ValueRefused("an indefinite or reserved length")
        argument = info if info < 24 else int.from_bytes(self._take(1 << info - 24), "big")
        return initial >> 5, info, argument

    def _take(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if self.at > len(self._content):
            raise ValueRefused("it ends too early")
        return self._content[start : self.at]

    def _expect(self, major: int, what: str) -> int:
        found, _info, argument = self._head()
        if found != major:
            raise ValueRefused(f"{what} isn't encoded as one")
        return argument

    def _utf8(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            raise ValueRefused("a text isn't UTF-8") from None

    def _enter(self, count: int, each: int, level: int) -> None:
        if count * each > len(self._content) - self.at:
            raise ValueRefused("it ends too early")
        self._budget.enter(count * each, level)

    def _elements(self, count: int, level: int) -> List[Any]:
        self._enter(count, 1, level)
        return [self.value(level + 1) for _ in range(count)]

    def _members(self, count: int, level: int) -> dict:
        self._enter(count, 2, level)
        members = {}
        for _ in range(count):
            key = checked_key(self.value(level + 1))
            members[key] = self.value(level + 1)
        return members

    def _map(self, level: int) -> Map:
        count = self._expect(MAP, "a Map")
        self._enter(count, 2, level)
        return Map([(self.value(level + 1), self.value(level + 1)) for _ in range(count)])

    def _tagged(self, tag: int, level: int) -> Any:
        if tag in (SECONDS, MILLISECONDS):
            return self._date(tag)
        if tag in (BIGNUM, NEGATIVE_BIGNUM):
            content = self._take(self._expect(BYTES, "a bigint"))
            if len(content) > BIGINT_BYTES:
                raise ValueRefused(f"a bigint of more than {BIGINT_BYTES} bytes")
            magnitude = int.from_bytes(content, "big")
            return BigInt(magnitude if tag == BIGNUM else -1 - magnitude)
        if tag == SET_TAG:
            return Set(self._elements(self._expect(ARRAY, "a Set"), level))
        if tag == MAP_TAG:
            return self._map(level)
        if tag == ERROR:
            return failure_of(self._members(self._expect(MAP, "an Error"), level))
        if tag == REGEXP:
            return self._regexp()
        content = self._take(self._expect(BYTES, "binary data"))
        if tag == UTF16:
            if len(content) % 2 != 0:
                raise ValueRefused("half a character")
            return content.decode("utf-16-le", "surrogatepass")
        if tag == UINT8:
            return content
        if tag not in BY_TAG:
            raise ValueRefused(f"tag {tag} isn't one of ours")
        return View(BY_TAG[tag], content)

    def _date(self, tag: int) -> Date:
        number = self.value(0)
        if isinstance(number, (bool, BigInt)) or not isinstance(number, (int, float)):
            raise ValueRefused("a Date isn't a number")
        if not math.isfinite(number):
            return Date(None)
        return Date(math.floor(number * 1000 + 0.5) if tag == SECONDS else int(number))

    def _regexp(self) -> RegExp:
        if self._expect(ARRAY, "a RegExp") != 2:
            raise ValueRefused("a RegExp isn't a source and flags")
        return RegExp(*(self._utf8(self._expect(TEXT, "a RegExp's part")) for _ in range(2)))


def _integer(argument: int, negative: bool) -> int:
    number = -1 - argument if negative else argument
    return number if abs(number) <= MOST_SAFE else BigInt(number)


def _simple(info: int, argument: int) -> Any:
    if info in (20, 21):
        return info == 21
    if info == 22:
        return None
    if info == 23:
        return UNDEFINED
    if info not in (25, 26, 27):
        raise ValueRefused(f"simple value {info} isn't one of ours")
    size, form = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}[info]
    return struct.unpack(form, argument.to_bytes(size, "big"))[0]
