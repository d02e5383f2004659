"""Conditions over many values as one parameter, on either database."""

import json
from collections.abc import Collection

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection


def is_one_of(connection: AsyncConnection, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that `column` is one of these texts.

    The statement is the same however many there are: an IN with a parameter for each would be a new one for every
    size of a page, to be written, sent and planned anew, and SQLite takes only so many parameters.
    """
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(Text), unique=True))
    listed = func.json_each(bindparam(None, json.dumps(list(values)), type_=Text, unique=True)).table_valued("value")
    return column.in_(select(listed.c.value))
