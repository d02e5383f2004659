"""Where two revisions of a record differ, as JSON Pointers; for a person who compares, never for merging."""

from collections.abc import Iterator
from typing import Any

from server.forms.answers.record_answers import ROW_ID
from sync.revisions.canonical import same
from sync.revisions.json_pointer import escape

_MISSING = object()


def differences(came: object, stands: object, path: str) -> list[str]:
    """Return the pointers, in order of path, at which `came` says something else than `stands`.

    Rows of repeats are the same row by their `_rid`; a row that only one side has is one difference.
    """
    return sorted(_differences(came, stands, path))


def _differences(came: object, stands: object, path: str) -> Iterator[str]:
    one, other = _members(came), _members(stands)
    if one is None or other is None:
        if not same(came, stands):
            yield path
        return
    for key in one.keys() | other.keys():
        yield from _differences(one.get(key, _MISSING), other.get(key, _MISSING), f"{path}/{escape(key)}")


def _members(value: object) -> dict[str, Any] | None:
    """Return what is compared one by one: the members of an object, the rows of a repeat."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return None
    rows = {str(row.get(ROW_ID, position)): row for position, row in enumerate(value)}
    # Two rows of one id cannot be told apart: then the whole list is one answer.
    return rows if len(rows) == len(value) else None
