"""Letters as people search for them: without case and diacritics, and đ as d, which Unicode leaves alone.

The TypeScript twin is `pwa/src/domain/folding.ts`.
"""

import unicodedata


def fold(text: str) -> str:
    """Return `text` folded: equal results mean "the same word" to somebody who types without diacritics."""
    letters = unicodedata.normalize("NFD", text).translate(_WITHOUT_MARKS)
    return " ".join(letters.lower().split())


class _Letters(dict[int, int | None]):
    """A table for `str.translate` that learns each character when it first meets it."""

    def __missing__(self, code: int) -> int | None:
        found = None if unicodedata.category(chr(code)).startswith("M") else code
        self[code] = found
        return found


_WITHOUT_MARKS = _Letters({ord("đ"): ord("d"), ord("Đ"): ord("d")})
