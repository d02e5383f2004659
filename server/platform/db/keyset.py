"""Keyset paging: a page ends in a token that names its last row, and the next request goes on behind that row.

What is added or taken away meanwhile neither repeats nor hides a row, and the hundredth page costs what the first does.
A token is base64url of a JSON array and means something only to the keyset that made it.
"""

import base64
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Float, Integer, LargeBinary, UnaryExpression, literal, true, tuple_

from server.errors import Problem
from server.platform.db.types import UtcDateTime

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in order; `next` is the token to go on with, None at the end."""

    rows: Sequence[Row]
    next: str | None


class Keyset:
    """An order of rows by columns that name each row exactly once, all in one direction."""

    def __init__(self, *columns: ColumnElement[Any], descending: bool = False, parameter: str = "before") -> None:
        """Take the columns, the most significant first; `parameter` is where clients put the token."""
        self._columns = columns
        self._descending = descending
        self._parameter = parameter

    @property
    def order(self) -> list[UnaryExpression[Any]]:
        """Return what `order_by` takes."""
        return [column.desc() if self._descending else column.asc() for column in self._columns]

    def behind(self, token: str | None) -> ColumnElement[bool]:
        """Return the condition on rows behind the token's, on all rows for None; raise `invalid_request`."""
        if token is None:
            return true()
        key = tuple_(*self._columns)
        return key < self._bound(token) if self._descending else key > self._bound(token)

    def token(self, key: Sequence[Any]) -> str:
        """Return the token of the row with these values of the columns."""
        text = json.dumps([_plain(value) for value in key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    def page(self, found: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]]) -> Page[Row]:
        """Return the first `limit` rows of `found`, which holds one more where the list goes on."""
        rows = found[:limit]
        return Page(rows, self.token(key(rows[-1])) if len(found) > limit else None)

    def _bound(self, token: str) -> ColumnElement[Any]:
        try:
            values = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
            pairs = zip(self._columns, values, strict=True)
            return tuple_(*(literal(_typed(column, value), column.type) for column, value in pairs))
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise Problem("invalid_request", parameter=self._parameter) from None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def _typed(column: ColumnElement[Any], value: Any) -> Any:
    match column.type:
        case UtcDateTime():
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError("a moment without a zone")
            # Here, where it may fail: at the ends of the calendar some moments are none in UTC.
            return moment.astimezone(UTC)
        case LargeBinary():
            return bytes.fromhex(value)
        case Integer() if type(value) is int and abs(value) < 2**31:
            return value
        case Float() if type(value) in (int, float) and math.isfinite(value):
            return float(value)
        case Integer() | Float():
            raise ValueError("not a number of this column")
    # PostgreSQL takes no NUL in text, and neither database half of a letter, which `encode` raises for.
    if not isinstance(value, str) or b"\0" in value.encode():
        raise ValueError("not a text of this column")
    return value
