"""The one reader of counts that stand as text: in addresses, headers, tokens and notices."""


def read_count(text: str, most_digits: int = 12) -> int | None:
    """Return the number that ASCII digits write; None for anything else, and for more digits than `most_digits`.

    `int` alone takes signs, spaces, underscores, other scripts' digits and any length.
    """
    if not 0 < len(text) <= most_digits or not text.isascii() or not text.isdigit():
        return None
    return int(text)
