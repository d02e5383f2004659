"""The directory that a hub gets from the province: its scopes' people, grants, devices' public keys, places and forms.

People are those whose grants reach a scope of the hub, with the part of their grants that lies there. A hub signs
people in without any uplink, so Argon2id hashes of passwords go along: of those people all of whose grants lie within
the hub's scopes, and of nobody else (docs/decisions/0009). Which tables and columns that are stands in
`sync.contract.authority`. What ended people's sign-ins here ends them there. The
answer has a fingerprint, so that asking again costs nothing while nothing has changed.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.atlas import Atlas
from server.areas.grants import EVERY_PROJECT, PROVINCE, Grant
from server.areas.tables import projects, unit_successors, units
from server.auth.authorise import allowed
from server.auth.passwords import UNTOLD
from server.auth.principal import Principal
from server.auth.tables import ended_sign_ins, enrolments, grants, people
from server.forms.tables import content_projects, contents, form_versions
from sync.contract.authority import DIRECTORY

Row = dict[str, Any]

#: The tables of the directory, by their names in `sync.contract.authority`.
TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        projects,
        units,
        unit_successors,
        people,
        grants,
        enrolments,
        ended_sign_ins,
        contents,
        content_projects,
        form_versions,
    )
}
#: The column that says whose a row is: a person, or of ended sign-ins a device as well.
WHOSE = {"people": "id", "enrolments": "person", "ended_sign_ins": "holder"}


async def directory(connection: AsyncConnection, atlas: Atlas, hub: Principal) -> dict[str, Any]:
    """Return the directory of the scopes that `hub` may replicate."""
    own = [grant for grant in hub.grants if allowed(Principal("", "", None, (grant,)), "replicate")]
    everything = [
        (row["person"], Grant(row["role"], row["project"], row["unit"])) for row in await _rows(connection, grants)
    ]
    there = {
        (person, within) for person, grant in everything for each in own if (within := _part(each, grant)) is not None
    }
    wanted = {person for person, _ in there} - {hub.person}
    elsewhere = {
        person for person, grant in everything if not any(each.covers(grant.project, grant.unit) for each in own)
    }
    named = {grant.project for grant in own}
    found: dict[str, list[Row]] = {}
    about = set(wanted)
    for name, part in DIRECTORY.items():
        if name in ("grants", "contents"):
            continue
        rows = await _rows(connection, TABLES[name], part.columns)
        if part.rows == "people":
            rows = [row for row in rows if row[WHOSE[name]] in about]
            about |= {row["id"] for row in rows if name == "enrolments"}
        elif part.rows == "projects":
            rows = [row for row in rows if EVERY_PROJECT in named or row["project"] in named]
        secret = dict.fromkeys(part.only_of_own, UNTOLD)
        found[name] = [row | secret if secret and row["id"] in elsewhere else row for row in rows]
    found["grants"] = [
        {"person": person, "role": grant.role, "project": grant.project, "unit": grant.unit}
        for person, grant in sorted(there, key=lambda one: (one[0], one[1].role, one[1].project, one[1].unit))
        if person in wanted
    ]
    hashes = {row["sha256"] for row in found["content_projects"]} | {row["source"] for row in found["form_versions"]}
    return {
        "scopes": [scope.name for scope in atlas.scopes if allowed(hub, "replicate", scope.name)],
        **{name: rows for name, rows in found.items() if name != "ended_sign_ins"},
        "ended": found["ended_sign_ins"],
        "contents": sorted(hashes),
    }


async def content(connection: AsyncConnection, sha256: str, hub: Principal) -> Row | None:
    """Return a content of the hub's projects; None when it is none of theirs."""
    named = {grant.project for grant in hub.grants}
    row = (await connection.execute(select(contents).where(contents.c.sha256 == sha256))).first()
    if row is None:
        return None
    if EVERY_PROJECT not in named:
        assigned = select(content_projects.c.project).where(content_projects.c.sha256 == sha256)
        sources = select(form_versions.c.project).where(form_versions.c.source == sha256)
        of = {*await connection.scalars(assigned), *await connection.scalars(sources)}
        if of.isdisjoint(named):
            return None
    return {"sha256": sha256, "media_type": row.media_type, "body": base64.b64encode(row.body).decode()}


def _part(own: Grant, grant: Grant) -> Grant | None:
    """Return the part of somebody's grant that lies within the hub's own; None where there is none."""
    project = grant.project if own.project == EVERY_PROJECT else own.project
    unit = grant.unit if own.unit == PROVINCE else own.unit
    return Grant(grant.role, project, unit) if grant.covers(project, unit) else None


async def _rows(connection: AsyncConnection, table: Table, columns: Sequence[str] | None = None) -> list[Row]:
    wanted = [table.c[name] for name in columns] if columns else list(table.c)
    query = select(*wanted).order_by(*table.primary_key.columns)
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in await connection.execute(query)]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
