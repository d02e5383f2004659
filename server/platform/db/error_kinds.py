"""Tells apart errors of files and databases: away, full, passing."""

import errno
import socket
import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

#: PostgreSQL's word (SQLSTATE).
DISK_FULL = "53100"
#: When to come back to a database that is away: it restarts in seconds.
AWAY_S = 10
#: PostgreSQL's classes for connections that are gone, for too little of something, and for what its operators do.
AWAY_CLASSES = frozenset({"08", "53", "57"})
#: SQLite's, and what is finer than these begins with them.
AWAY_NAMES = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL")


def is_disk_full(error: BaseException | None) -> bool:
    """Whether `error`, or what it came from, says that no space is left: for a file, SQLite or PostgreSQL."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            return True
        if isinstance(error, DBAPIError) and sqlstate(error) == DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def is_away(error: BaseException | None) -> bool:
    """Whether `error`, or what it came from, says that the database can't be reached or is too busy just now."""
    while error is not None:
        if isinstance(error, (PoolTimeout, ConnectionError, socket.gaierror)):
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "").startswith(AWAY_NAMES):
            return True
        if isinstance(error, DBAPIError):
            state = sqlstate(error) or ""
            if error.connection_invalidated or (state[:2] in AWAY_CLASSES and state != DISK_FULL):
                return True
        error = error.__cause__ or error.__context__
    return False


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's own code of an error; None of any other."""
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
