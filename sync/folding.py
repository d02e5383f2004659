"""Letters as people search for them: without case and diacritics, and đ as d, which Unicode leaves alone.

The TypeScript twin is `pwa/src/domain/folding.ts`.
"""

import unicodedata


def fold(text: str) -> str:
    """Return `text` folded: equal results mean "the same word" to somebody who types without diacritics."""
    plain = unicodedata.normalize("NFD", text).replace("đ", "d").replace("Đ", "d")
    letters = "".join(letter for letter in plain if not unicodedata.category(letter).startswith("M"))
    return " ".join(letters.lower().split())
