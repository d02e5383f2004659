"""ODK's functions over texts and choices: places in them count as JavaScript counts letters."""

import base64
import binascii
import hashlib
import math
import re

from server.forms.evaluate import patterns
from server.forms.evaluate.context import Unevaluable
from server.forms.evaluate.numbers import rounded
from server.forms.evaluate.values import Value, as_number, as_text, from_utf16, texts_of, trimmed, utf16

#: A longer text than this comes from no form that people fill in.
MAX_TEXT = 1_000_000
MAX_MATCHED = 10_000


def _limited(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise Unevaluable("the text grows too long")
    return text


def joined(glue: Value, *values: Value) -> str:
    """Return the texts of all values with `glue` between them."""
    return _limited(as_text(glue).join(text for value in values for text in texts_of(value)))


_SPACES = re.compile("[ \t\r\n]+")
_SEVERAL_SPACES = re.compile("[ \t\r\n]{2,}")


def _words(text: str) -> list[str]:
    return _SPACES.split(trimmed(text))


def is_selected(chosen: Value, wanted: Value) -> bool:
    """Say whether a choice is among those chosen."""
    return trimmed(as_text(wanted)) in _words(as_text(chosen))


def count_selected(chosen: Value) -> float:
    """Return how many choices are chosen."""
    text = trimmed(as_text(chosen))
    return float(len(_words(text))) if text else 0.0


def _leading_integer(value: Value) -> int | None:
    """Return what JavaScript's parseInt reads at the beginning of a text."""
    text = as_text(value).lstrip()
    end = 1 if text[:1] in {"+", "-"} else 0
    while text[end : end + 1].isdigit() and text[end].isascii() and end < 20:
        end += 1
    return int(text[:end]) if text[:end].strip("+-") else None


def selected_at(chosen: Value, index: Value) -> str:
    """Return the choice at a place, counted from 0."""
    words, at = _words(as_text(chosen)), _leading_integer(index)
    return words[at] if at is not None and 0 <= at < len(words) else ""


def substr(value: Value, start: Value, end: Value | None = None) -> str:
    """Return the part from `start` to before `end`, from the end where they are negative."""
    text = utf16(as_text(value))
    first, last = _leading_integer(start), len(text) if end is None else _leading_integer(end)
    # The engine's arithmetic on what is no number takes the whole comparison down to an empty text.
    if not text or first is None or last is None:
        return ""
    first = first + len(text) if first < 0 else first
    last = last + len(text) if last < 0 else last
    return from_utf16(text[max(0, first) : max(0, last)])


def substring(value: Value, start: Value, length: Value | None = None) -> str:
    """Return so many letters from `start`, counted from 1."""
    text = utf16(as_text(value))
    first = rounded(as_number(start)) - 1
    count = math.inf if length is None else rounded(as_number(length))
    last = first + count
    if not text or math.isnan(first) or first == math.inf or math.isnan(last):
        return ""
    begin, end = (int(min(max(0.0, at), len(text))) for at in (first, last))
    # JavaScript's substring swaps ends that come in the wrong order.
    return from_utf16(text[min(begin, end) : max(begin, end)])


def substring_before(value: Value, needle: Value) -> str:
    """Return what stands before the first `needle`."""
    text, sought = as_text(value), as_text(needle)
    at = text.find(sought)
    return text[:at] if at > 0 else ""


def substring_after(value: Value, needle: Value) -> str:
    """Return what stands after the place of the first `needle`."""
    text, sought = utf16(as_text(value)), utf16(as_text(needle))
    if not sought:
        return from_utf16(text)
    at = text.find(sought)
    # One letter after where it begins, as the engine has it, not after where it ends.
    return from_utf16(text[at + 1 :]) if at >= 0 else ""


def translated(value: Value, letters: Value, others: Value) -> str:
    """Return the text with letters replaced, or left out, one by one."""
    replaced = utf16(as_text(others))
    table: dict[int, str] = {}
    for at, letter in enumerate(utf16(as_text(letters))):
        table.setdefault(ord(letter), replaced[at : at + 1])
    return from_utf16(utf16(as_text(value)).translate(table))


def is_matched(value: Value, pattern: Value) -> bool:
    """Say whether a pattern is found in the text."""
    text = utf16(as_text(value))
    if len(text) > MAX_MATCHED:
        raise Unevaluable("too long for a pattern")
    try:
        return patterns.pattern(utf16(as_text(pattern))).is_in(text)
    except patterns.NotAPattern as error:
        raise Unevaluable(str(error)) from error


def normalized(value: Value) -> str:
    """Return the text without space around it and with single spaces in it."""
    # The engine makes one space of several, and leaves a single tab a tab.
    return _SEVERAL_SPACES.sub(" ", trimmed(as_text(value)))


def digest(value: Value, algorithm: Value, encoding: Value = "base64") -> str:
    """Return the text's digest."""
    name = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}.get(
        as_text(algorithm)
    )
    if name is None or as_text(encoding) not in {"base64", "hex"}:
        raise Unevaluable("no such digest")
    digest = hashlib.new(name, as_text(value).encode("utf-8", "replace"), usedforsecurity=False).digest()
    return digest.hex() if as_text(encoding) == "hex" else base64.b64encode(digest).decode()


def base64_decoded(value: Value) -> str:
    """Return what was encoded, blank where it is no Base64."""
    text = "".join(as_text(value).split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4) if "=" not in text else text, validate=True).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return ""
