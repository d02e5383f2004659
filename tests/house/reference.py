"""Writes `docs/reference/` from the tables that the code reads: `make reference`.

Nothing on those pages is written by hand, so none of it can differ from what the doors do; a house test fails when a
page is not what this would write now.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

import server.app  # noqa: F401  (registers every stage's tables)
from server.areas.grants import EVERY_PROJECT, PROVINCE, Grant
from server.auth.authorise import may_hand_out
from server.auth.principal import Principal
from server.errors import KINDS as ERRORS
from server.gateway.sync.schemas import ANSWER, REQUEST
from server.ingest.policy import POLICY, Finding
from server.platform.db.metadata import metadata
from sync.contract.authority import DIRECTORY, MANAGED_BY, PEERS_MANAGED_BY
from sync.contract.documents import DOCUMENT_TYPES
from sync.contract.members import DOORS, MEMBERS, UNKNOWN, Door, Kind, Member, Sensitivity, Writer
from sync.contract.reasons import REASONS, WaitsFor
from sync.contract.roles import RIGHTS, ROLES, Action, Role
from sync.contract.wire import PROTOCOL
from tests.house.wire_table import models, table

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"
EXCHANGE = ROOT / "tests" / "vectors" / "exchange.json"
HEAD = "<!-- Written by `make reference` from {source}. Don't edit: a test compares. -->\n"

#: What the code says of these in comments, which no program can read.
KINDS_MEAN: Mapping[Kind, str] = {
    "record": "It stands until somebody changes it; leaving it out removes it.",
    "revision": "It speaks of one revision alone; leaving it out says nothing.",
    "lasting": "It outlives even a deletion; leaving it out removes it.",
    "foreign": "It means nothing here; leaving it out says nothing.",
}
TELLS_MEAN: Mapping[Sensitivity, str] = {
    "personal": "Who did it, what somebody wrote of somebody, faces and voices. No log and no audit takes it.",
    "by_form": "Whatever the form asks, places too. The same, and what its questions mark as sensitive is in no table.",
}
WRITERS_MEAN: Mapping[Writer, str] = {
    "capture": "who may record in the scope",
    "desk": "who may decide conflicts there, at a desk",
    "projection": "a follower, which writes a pure function of what is here",
    "province": "the server that alone writes people, forms and erasures",
}
DOORS_MEAN: Mapping[Door, str] = {
    "phone": "`POST /api/sync`",
    "replica": "`/db`, somebody's replica",
    "peer": "`/db` or a pull, another server's account",
    "projection": "the same, where the revision is another server's follower's by its id and shape",
    "province": "a pull from the province",
    "desk": "what somebody decides, at the desks of review, conflicts, duplicates and relocation",
    "acceptance": "let in from quarantine by a person",
}
FINDINGS_MEAN: Mapping[Finding, str] = {
    "attachments": "it has attachments",
    "no_right": "whoever it is by has no right to it here, neither now nor at their last exchange",
    "no_document": "it is no document that a journal can hold",
    "right_lost": "they had the right at their last exchange, and have it no more",
    "right_beside": "they have none here, but where a form is that saves to records of this one",
    "other_type": "the door takes no such document, or not as an edit",
    "other_save": "it says that another device saved it, or no number",
    "servers_member": "it introduces, changes or removes a member that the door's writers may not",
    "unknown_member": "the same, of a member that the contract does not know",
    "unknown_form": "its form's version is not published here in the scope's project",
    "misfit": "answers or files have not the types that its form gives them",
}
WAITS_MEAN: Mapping[WaitsFor, str] = {
    "person": "a person, where `acceptance` lets one",
    "revisions": "other revisions of its document, or such a person",
    "revisions only": "other revisions of its document; nobody is shown it",
    "form": "its form's version, or such a person",
}
POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
#: Any commune: what a grant on it may hand out holds of every other.
COMMUNE = Grant("field_worker", "agri", "03226-2025")


def pages() -> dict[str, str]:
    """Return every page of the reference by its file's name."""
    return {
        "documents.md": documents(),
        "ingest.md": ingest(),
        "wire.md": wire(),
        "rights.md": rights(),
        "errors.md": errors(),
        "tables.md": tables(),
    }


def documents() -> str:
    """Return the page of the members of a record and the types of documents beside it."""
    unknown = "*any other*"
    types_doors = [door for door in DOORS if any(door in each.doors for each in DOCUMENT_TYPES.values())]
    rows = [*MEMBERS.items(), (unknown, UNKNOWN)]
    assert set(KINDS_MEAN) == set(get_args(Kind))
    assert {"none", *TELLS_MEAN} == set(get_args(Sensitivity))
    assert set(WRITERS_MEAN) == set(get_args(Writer))
    assert set(DOORS_MEAN) == set(DOORS) == set(get_args(Door))
    parts = [
        HEAD.format(source="`sync/contract/`"),
        "# Documents, member by member\n",
        "Who may introduce, change or remove a member of a record. Everybody may repeat what stands before. A revision",
        "that says more than its bringer may is quarantined: `unknown_member` for a member that this table lacks,",
        "`servers_only` for the others. How it is applied: [architecture](../architecture.md#what-a-record-holds).\n",
        "## Members of a record\n",
        *table(
            ["member", "kind", *get_args(Writer), "tells of people", "since"],
            [_member(name, member) for name, member in rows],
        ),
        "\n| kind | means |\n|---|---|",
        *(f"| {kind} | {KINDS_MEAN[kind]} |" for kind in get_args(Kind)),
        "\n| tells of people | means |\n|---|---|",
        *(f"| {told.replace('_', ' ')} | {TELLS_MEAN[told]} |" for told in TELLS_MEAN),
        "\n| writer | is |\n|---|---|",
        *(f"| {writer} | {WRITERS_MEAN[writer]} |" for writer in get_args(Writer)),
        "\n## What each door may write\n",
        "A door takes what it is brought as one or several of these writers.\n",
        *table(
            ["member", *DOORS],
            [[_code(name), *_doors(member)] for name, member in rows],
        ),
        "\n| door | is |\n|---|---|",
        *(f"| {door} | {DOORS_MEAN[door]} |" for door in DOORS),
        "\n## Types of documents, and the doors that take each\n",
        "Ids of documents about a record are `<type>:<record id>:<UUIDv7>`; `open` is one for each record,",
        "`open:<record id>`. A `tombstone` is a deleted record that says nothing, as CouchDB's `DELETE` leaves it.\n",
        *table(
            ["type", "who may write it", "is said once: never edited nor deleted", *types_doors],
            [
                [f"`{name}`", f"`{each.right}`", _mark(each.is_said_once)]
                + [_mark(door in each.doors) for door in types_doors]
                for name, each in DOCUMENT_TYPES.items()
            ],
        ),
    ]
    return _page(parts)


def ingest() -> str:
    """Return the page of the ingest policy: what becomes of a document, by the door and what is found about it."""
    assert list(FINDINGS_MEAN) == list(POLICY) == list(get_args(Finding))
    assert set(WAITS_MEAN) == set(get_args(WaitsFor))
    doors = [door for door in DOORS if any(door in row for row in POLICY.values())]
    parts = [
        HEAD.format(source="`server/ingest/policy.py` and `sync/contract/reasons.py`"),
        "# Ingest: what becomes of a document\n",
        "Findings are looked for from the top; the first for which the door's column gives a reason decides. Where it",
        "gives none, the finding counts for nothing there. What nothing is found about is looked at once more by the",
        "journal, against the document's other revisions. Doors and types: [documents](documents.md).\n",
        *table(
            ["what is found", *doors],
            [[FINDINGS_MEAN[name], *(_reason(row.get(door)) for door in doors)] for name, row in POLICY.items()],
        ),
        "\nThe members of a record count only where nothing above them does, its form only where nothing else does.\n",
        "## Reasons, and what becomes of a document for each\n",
        "Nothing that can be kept is refused. What people are told stands in `pwa/src/locales/`: of a quarantined",
        "document under `desk.quarantine.reason`, of a refused one under `problem`.\n",
        *table(
            ["reason", "means", "the document is", "until there is"],
            [
                [
                    f"`{reason}`",
                    kind.means,
                    "refused" if kind.is_refusal else "quarantined",
                    "–" if kind.waits_for is None else WAITS_MEAN[kind.waits_for],
                ]
                for reason, kind in REASONS.items()
            ],
        ),
    ]
    return _page(parts)


def wire() -> str:
    """Return the page of what a phone and a server say to each other."""
    told = json.loads(EXCHANGE.read_text("utf-8"))
    parts = [
        HEAD.format(source="`sync/contract/wire.py` and `tests/vectors/exchange.json`"),
        f"# The wire of `POST /api/sync`, protocol {PROTOCOL}\n",
        "JSON, gzipped on the way there; brotli or gzip on the way back, as `Accept-Encoding` allows. The access token",
        "travels as `Authorization: Bearer …`. Unknown members are refused. What is sealed: `sync/contract/seal.py`.",
        *models(REQUEST),
        *models(ANSWER),
        "\n## One whole exchange, as it happened\n",
        "A phone that has read the catalog sends one record, and gets its receipt and a colleague's record.\n",
        *_json("request", told["request"]),
        *_json("answer", told["answer"]),
        "The key that sealed, as `POST /api/auth/login` brought it:\n",
        *_json("jwk", told["jwk"]),
    ]
    return _page(parts)


def rights() -> str:
    """Return the page of what each role may do and hand out."""
    actions = get_args(Action)
    holders = [("everything", Grant("administrator", EVERY_PROJECT, PROVINCE))]
    holders += [(f"{role} of a commune", Grant(role, COMMUNE.project, COMMUNE.unit)) for role in ROLES]
    parts = [
        HEAD.format(source="`sync/contract/roles.py` and `sync/contract/authority.py`"),
        "# Rights\n",
        "A grant is a role in a project and a unit. One on unit `11` (the province) covers its communes, one on",
        "project `*` every project. `server.auth.authorise` alone decides; every door asks it.\n",
        "## What each role may do, where its grant reaches\n",
        *table(
            ["", *(f"`{role}`" for role in ROLES)],
            [[f"`{action}`", *(_mark(action in RIGHTS[role].actions) for role in ROLES)] for action in actions],
        ),
        "\n## Who may hand out which role",
        "\nIn the same project and commune; *everything* is an administrator of `*` in `11`.\n",
        *table(
            ["who holds", *(f"`{role}`" for role in ROLES)],
            [[name.replace("_", " "), *_handed_out(grant)] for name, grant in holders],
        ),
        "\n## Who manages whom\n",
        "A person's account, password, devices and grants, by where their grants lie. Peers are managed by",
        f"*{PEERS_MANAGED_BY}*. The console has no such bounds.\n",
        *table(["their grants lie", "managed by"], [[name, _managed_by(by)] for name, by in MANAGED_BY.items()]),
        "\n## What a hub is told\n",
        "`all`: every row. `people`: rows of people with a grant that reaches a scope of the hub, and of grants the",
        "part that lies there. `projects`: rows of the hub's projects.\n",
        *table(
            ["table", "rows", "columns", "only of people who work nowhere else"],
            [
                [
                    f"`{name}`",
                    part.rows,
                    _columns(part.columns),
                    _columns(part.only_of_own),
                ]
                for name, part in DIRECTORY.items()
            ],
        ),
    ]
    return _page(parts)


def _managed_by(by: str) -> str:
    return "who manages people there" if by == "there" else "everything"


def errors() -> str:
    """Return the page of all errors that a client can meet."""
    parts = [
        HEAD.format(source="`server/errors.py`"),
        "# Errors\n",
        "Every error is `application/problem+json` (RFC 9457): `type` is `urn:nuong:problem:<code>`, `params` is what",
        "the sentence needs. The sentence itself stands in both languages in the words of the app, `pwa/src/locales/`,",
        "as `problem.<code>.sentence`; some screens explain a code in words of their own.\n",
        *table(
            ["status", "code", "title"],
            [[str(kind.status), f"`{code}`", kind.title] for code, kind in sorted(ERRORS.items(), key=_by_status)],
        ),
    ]
    return _page(parts)


def tables() -> str:
    """Return the page of all tables, drawn by the module that declares them."""
    parts = [
        HEAD.format(source="the tables that the code declares"),
        "# Tables\n",
        "By the module that declares them. PK marks the primary key, FK a foreign key. What belongs together without a",
        "foreign key (a database's name, a document's id) is drawn in [architecture](../architecture.md#data-model).",
        "Types are PostgreSQL's; SQLite holds the same rows.",
    ]
    for module, names in _modules().items():
        parts += [f"\n## `{module}`\n", "```mermaid", "erDiagram"]
        for name in names:
            parts += _entity(metadata.tables[name])
        parts += ["```"]
    return _page(parts)


def _modules() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "server").rglob("*.py")):
        names = re.findall(r"^\w+ = Table\(\s*\"(\w+)\",\s*metadata,", path.read_text("utf-8"), re.MULTILINE)
        if names:
            found[str(path.relative_to(ROOT))] = names
    told = sorted(name for names in found.values() for name in names)
    assert told == sorted(metadata.tables), "a table is declared in a way that this does not find"
    return found


def _entity(table: Table) -> Iterator[str]:
    for key in sorted(table.foreign_keys, key=lambda each: each.parent.name):
        yield f"  {key.column.table.name} ||--o{{ {table.name} : {key.parent.name}"
    yield f"  {table.name} {{"
    for column in table.columns:
        kind = str(column.type.compile(POSTGRESQL)).split("(")[0].split(" COLLATE")[0].replace(" ", "_")
        keys = ", ".join(mark for mark, holds in (("PK", column.primary_key), ("FK", column.foreign_keys)) if holds)
        yield f"    {kind.lower()} {column.name}{f' {keys}' if keys else ''}"
    yield "  }"


def _json(title: str, value: object) -> Iterator[str]:
    yield from (f"`{title}`", "```json", json.dumps(value, ensure_ascii=False, indent=2), "```\n")


def _handed_out(holding: Grant) -> list[str]:
    holder = Principal("holder", "", None, (holding,))
    given: list[tuple[Role, Grant]] = [(role, Grant(role, COMMUNE.project, COMMUNE.unit)) for role in ROLES]
    return [_mark(may_hand_out(holder, grant)) for _, grant in given]


def _member(name: str, member: Member) -> list[str]:
    writers = [_mark(writer in member.writers) for writer in get_args(Writer)]
    told = "–" if member.sensitivity == "none" else member.sensitivity.replace("_", " ")
    return [_code(name), member.kind, *writers, told, "–" if member is UNKNOWN else member.since]


def _doors(member: Member) -> list[str]:
    return [_mark(not member.writers.isdisjoint(writers)) for writers in DOORS.values()]


def _by_status(item: tuple[str, object]) -> tuple[int, str]:
    return ERRORS[item[0]].status, item[0]


def _code(name: str) -> str:
    return name if name.startswith("*") else f"`{name}`"


def _reason(reason: str | None) -> str:
    return "–" if reason is None else f"`{reason}`"


def _columns(names: Sequence[str] | None) -> str:
    return "all" if names is None else ", ".join(f"`{name}`" for name in names) or "–"


def _mark(holds: bool) -> str:
    return "yes" if holds else "–"


def _page(parts: Iterable[str]) -> str:
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write every page, and remove those that nothing writes any more."""
    written = pages()
    PAGES.mkdir(exist_ok=True)
    for path in PAGES.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (PAGES / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
