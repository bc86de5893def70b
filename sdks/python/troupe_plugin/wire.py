"""plugin/v1's frames, as far as a worker of middleware needs them: protobuf, read and written by hand.

A dozen flat messages need no generator and no package. Fields that aren't known are skipped, as protobuf says.
"""

import struct

#: Numbers are exact up to here in JavaScript.
MOST = 2**53 - 1
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def varint(value):
    """Raises ValueError for a number that the host can't read: it would end the plugin."""
    if not 0 <= value <= MOST:
        raise ValueError(f"{value} isn't a number from 0 to 2**53 - 1")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    """A field that is a number; none where it is 0."""
    return b"" if value == 0 else varint(field << 3 | VARINT) + varint(value)


def zigzag(field, value):
    """A field that is a signed number."""
    return number(field, value << 1 if value >= 0 else (-value << 1) - 1)


def data(field, value):
    """A field that is bytes, a text or a message; it is there also where it is empty. Half a surrogate pair becomes "?"."""
    content = value.encode("utf8", "replace") if isinstance(value, str) else value
    return varint(field << 3 | BYTES) + varint(len(content)) + content


def fields(message):
    """Every field of a message, in order: its number and its value."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _read_varint(message, at)
        elif kind == BYTES:
            size, at = _read_varint(message, at)
            value, at = message[at : at + size], at + size
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
            value, at = struct.unpack("<I" if size == 4 else "<Q", message[at : at + size])[0], at + size
        else:
            raise ValueError(f"a field of wire type {kind}")
        if at > len(message):
            raise ValueError("a message that is cut short")
        yield tag >> 3, value


def _read_varint(message, at):
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("a number that can't be read")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
