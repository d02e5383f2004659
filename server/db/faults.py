"""What errors of files and databases mean, whichever of them says it."""

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError

#: PostgreSQL's word (SQLSTATE).
DISK_FULL = "53100"


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


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's own code of an error; None of any other."""
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
