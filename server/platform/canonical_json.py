"""Canonical JSON as `sync.revisions.canonical` writes it, in a quarter of the time.

The engine keeps to the standard library; a server writes every document that arrives, and there msgspec's encoder does
the same work over strings, lists and objects. What it might write otherwise than RFC 8785 shows in its output: numbers,
characters beyond the basic plane (keys sort otherwise), and what is no number. All that, and whatever it refuses, is
the engine's to write or to refuse. `tests/server/test_canonical.py` holds the two together.
"""

import msgspec

from sync.revisions.canonical import Json
from sync.revisions.canonical import canonical as by_the_letter

_encode = msgspec.json.Encoder(order="sorted").encode
_pack = msgspec.msgpack.Encoder().encode
#: What stands before a double in MessagePack, and in UTF-8 only in letters that hardly any text has.
_DOUBLE = b"\xcb"
#: For one look over the output: what begins a number becomes 0, what can stand before one in a list a comma, what
#: begins an astral character in UTF-8 a byte that never occurs there.
_LOOK = bytes.maketrans(b"-123456789[\xf0\xf1\xf2\xf3\xf4", b"0000000000,\xff\xff\xff\xff\xff")


def canonical(value: Json, *, is_read: bool = False) -> bytes:
    """Return `value` in RFC 8785; raise MalformedJson for a lone surrogate or a number outside the doubles.

    `is_read` says that it comes from JSON in which no flaw was found: no number in it is NaN.
    """
    # A value alone is as short for the engine, and a number has nothing in front that would show it.
    if not isinstance(value, dict | list):
        return by_the_letter(value)
    try:
        data = _encode(value)
        look = data.translate(_LOOK)
        if b'":0' in look or b",0" in look or b"\xff" in look:
            return by_the_letter(value)
        # Questions without an answer are null, and NaN is written so as well.
        if not is_read and b"null" in data and _DOUBLE in _pack(value):
            return by_the_letter(value)
    except (TypeError, ValueError, RecursionError, OverflowError):
        return by_the_letter(value)
    return data
