"""What a number is: the one definition for the door, which takes answers in, and for publishing, which types them."""

import math
import re

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}").fullmatch
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?").fullmatch
#: The longest that the phone writes has 309 digits, a point and 20 decimals.
MAX_LENGTH = 400


def is_integer(text: str) -> bool:
    """Say whether a text is a whole number of at most 18 digits, which databases hold."""
    return _INTEGER(text) is not None


def is_decimal(text: str) -> bool:
    """Say whether a text is a number that a phone can reckon with: in digits, perhaps with an exponent, not endless."""
    return len(text) <= MAX_LENGTH and _DECIMAL(text) is not None and math.isfinite(float(text))
