"""What SQLAlchemy compiles, kept for the whole run: a test has a database of its own, and SQL is the same in each.

A server compiles a statement once and then has it for months. Every test opens an engine of its own, and without this
it would compile each statement anew, which takes longer than SQLite's answer. What is shared is what requests of one
server share: the texts of statements by their structure, and the dialect, which knows the database's kind and version.
"""

from typing import Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

#: By driver and writer of JSON.
_compiled: dict[tuple[str, object], tuple[Dialect, Any]] = {}


def compile_once() -> None:
    """Have every engine that a storage makes from here on use what the first of its kind has compiled."""
    patch("server.platform.db.engine.create_async_engine", _engine).start()


def _engine(url: URL, **options: Any) -> AsyncEngine:
    made = create_async_engine(url, **options)
    own = made.sync_engine
    kind = (url.drivername, options.get("json_serializer"))
    if kind in _compiled:
        own.dialect, own._compiled_cache = _compiled[kind]
    else:
        # A dialect learns of its database from the first connection: one that never met any is not handed on.
        event.listen(own, "connect", lambda *_: _compiled.setdefault(kind, (own.dialect, own._compiled_cache)))
    return made
