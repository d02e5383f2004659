"""A person's own sign-ins: which there are, and ending one or all the others.

A device that signed in again under the same key is one sign-in, with all its families of tokens: only the newest is
in its hands, and ending it must end what a thief may hold of the others.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth import refresh
from server.auth.principal import Principal
from server.auth.tables import enrolments
from server.auth.tables import refresh_tokens as table

#: The first that a browser's own description names is what it is: Edge says that it is Chrome, and that Safari.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox"}
BROWSERS |= {"CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows"}
SYSTEMS |= {"Macintosh": "macOS", "CrOS": "ChromeOS", "Linux": "Linux"}


@dataclass(frozen=True, slots=True)
class ActiveSignIn:
    """One sign-in that stands; the moments are unknown (None) of those from before they were kept."""

    id: str
    label: str
    enrolment: str | None
    began_at: datetime | None
    used_at: datetime | None
    is_this: bool


def browser_name(user_agent: str) -> str:
    """Return what to call a browser that gave itself no name, such as `Chrome, Android`; empty where it is unknown."""
    found = (
        next((name for word, name in names.items() if re.search(rf"\b{word}\b", user_agent)), None)
        for names in (BROWSERS, SYSTEMS)
    )
    return ", ".join(name for name in found if name)


async def standing(connection: AsyncConnection, asking: Principal, at: datetime) -> list[ActiveSignIn]:
    """Return the sign-ins of who asks: this one first, then the last used first."""
    query = (
        select(
            table.c.family,
            table.c.enrolment,
            func.max(table.c.label).label("label"),
            func.max(enrolments.c.label).label("device"),
            func.min(table.c.began_at).label("began_at"),
            func.max(table.c.issued_at).label("used_at"),
        )
        .outerjoin(enrolments, enrolments.c.id == table.c.enrolment)
        .where(table.c.person == asking.person, table.c.revoked_at.is_(None), table.c.expires_at > at)
        .group_by(table.c.family, table.c.enrolment)
    )
    rows = (await connection.execute(query)).all()
    devices: dict[str, list[Any]] = {}
    for row in rows:
        devices.setdefault(row.enrolment or row.family, []).append(row)
    found = [_sign_in(families, asking) for families in devices.values()]
    return sorted(found, key=lambda each: (not each.is_this, -each.used_at.timestamp() if each.used_at else 0.0))


def _sign_in(families: Sequence[Any], asking: Principal) -> ActiveSignIn:
    newest = max(families, key=lambda row: (row.used_at.timestamp() if row.used_at else 0.0, row.family))
    began = [row.began_at for row in families]
    return ActiveSignIn(
        id=newest.family,
        label=newest.device or newest.label or "",
        enrolment=newest.enrolment,
        began_at=None if None in began else min(began),
        used_at=newest.used_at,
        is_this=any(row.family == asking.family for row in families),
    )


async def end(connection: AsyncConnection, sign_in: ActiveSignIn, at: datetime) -> None:
    """End one sign-in, at hubs too; its device may sign in again."""
    if sign_in.enrolment is None:
        await refresh.revoke_family(connection, sign_in.id, at)
    else:
        await refresh.revoke_enrolment(connection, sign_in.enrolment, at)
