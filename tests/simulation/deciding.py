"""What happens to branches in a world: followers close them, managers decide what stays open and take decisions back.

A manager reads the document whole, as the desk does, and writes an edit that follows what stands: what all edits say
together, with the chosen values in it, and which fields it decides.
"""

import json
from typing import Any

from server.forms.answers.engine_forms import MergingForms
from server.journal.model import NewRevision, Origin
from sync.merging.field_diff import patch
from sync.merging.field_schema import ABSENT, Path, Value
from sync.merging.merge import Combined, Document, Revision, WaitingMerge, combine, taken_back
from sync.revisions.canonical import Json
from tests.simulation.checks import Made
from tests.simulation.disk import Killed
from tests.simulation.events import short
from tests.simulation.province import SCOPES, publish
from tests.simulation.server import Server
from tests.simulation.world import World

#: A follower's turn takes some ten operations of storage for each page.
MOST_OPERATIONS = 40


async def follow(world: World) -> None:
    """A server's follower takes what stands; sometimes the process dies at it."""
    one = world.some_server()
    if world.random.random() < 0.25:
        one.disk.schedule_death(world.random.randint(1, MOST_OPERATIONS), after=world.random.random() < 0.5)
    try:
        taken = await one.follow()
        world.log(f"the follower of {one.name} takes {taken} documents")
    except Killed:
        world.log(f"{one.name} dies while its follower works")
        world.seen["follower killed"] += 1
    one.disk.call_off_death()


async def publish_next(world: World) -> None:
    """The next version of the forms comes to a server: the province has it first."""
    province, *others = world.servers.values()
    one = world.random.choice(others) if province.has_next_version else province
    world.log(f"the forms' next version comes to {one.name}")
    await publish(one.disk)


async def spread_forms(world: World) -> None:
    """Let every server have the versions that the province has."""
    if world.servers["province"].has_next_version:
        for one in world.servers.values():
            await publish(one.disk)


async def decide(world: World) -> None:
    """A manager settles one or more open questions of a record at one server."""
    one = world.some_server()
    await one.follow()
    asked = [key for key in sorted(_asked(one)) if world.random.random() < 0.5]
    for database, doc_id in asked[:2]:
        read = await _read(one, database, doc_id)
        if read is None or isinstance(read[2], WaitingMerge):
            continue
        document, forms, combined = read[0], read[1], read[2]
        paths = [path for path in combined.open if combined.fields[path].cause not in {"form_version", "constraint"}]
        if not paths:
            continue
        chosen = {path: _choice(world, combined, path) for path in world.random.sample(paths, min(len(paths), 2))}
        decided: list[Json] = [*sorted(chosen)]
        if chosen.get("") is ABSENT:
            content: dict[str, Any] = {"type": "record", "decided": [""]}
        else:
            form, version = str(combined.content.get("form", "")), str(combined.content.get("form_version", ""))
            shape = forms.shape(form, version)
            values = {path: value for path, value in chosen.items() if path}
            content = {**(patch(combined.content, values, shape) if shape else combined.content), "decided": decided}
        rev = await _write(world, one, database, document, content, deleted=chosen.get("") is ABSENT)
        world.log(f"{one.name}: a manager decides {decided} of {database} {doc_id}: {short(rev)}")
        world.seen["decided"] += 1
        world.decisions.append((database, doc_id, rev))


async def undo(world: World) -> None:
    """A manager takes a decision back that the server knows."""
    one = world.some_server()
    known = [each for each in world.decisions if await one.journal.document(*each) is not None]
    if not known:
        return
    database, doc_id, decision = world.random.choice(known)
    read = await _read(one, database, doc_id)
    if read is None or isinstance(read[2], WaitingMerge) or read[2].is_deleted:
        return
    document, forms = read[0], read[1]
    without = taken_back(document, [decision], forms)
    if isinstance(without, Combined) and not without.is_deleted:
        rev = await _write(world, one, database, document, {**without.content, "undoes": [decision]}, deleted=False)
        world.log(f"{one.name}: a manager takes {short(decision)} of {database} {doc_id} back: {short(rev)}")
        world.seen["undone"] += 1


async def _write(
    world: World, at: Server, database: str, document: Document, content: dict[str, Any], *, deleted: bool
) -> str:
    """Write what a manager decides after what stands; return its id."""
    winner = document.graph.winner()
    made = NewRevision.following(document.doc_id, content, winner, deleted=deleted)
    world.note(database, document.doc_id, made.rev, Made(winner, deleted, made.content))
    await at.journal.write(database, [made], Origin("manager"))
    return made.rev


def _choice(world: World, combined: Combined, path: Path) -> Value:
    values = [candidate.value for candidate in combined.fields[path].candidates]
    return world.random.choice(values)


def _asked(server: Server) -> set[tuple[str, str]]:
    rows = server.reader.execute("SELECT database, record FROM open_questions")
    return {(row["database"], row["record"]) for row in rows if row["database"] in SCOPES}


async def _read(
    server: Server, database: str, doc_id: str
) -> tuple[Document, MergingForms, Combined | WaitingMerge] | None:
    """Return a document as the desk reads it; None where it is not here."""
    whole = (await server.journal.whole(database, [doc_id])).get(doc_id)
    if whole is None:
        return None
    revisions = {
        rev: Revision(rev, one.parent, one.deleted, json.loads(one.content)) for rev, one in whole.revisions.items()
    }
    document = Document(doc_id, whole.graph, revisions)
    forms = await MergingForms.over(server.library, [document])
    return document, forms, combine(document, forms)


async def questions(server: Server) -> dict[tuple[str, str], dict[Path, tuple[str, ...]]]:
    """Return what is open by document, computed from the revisions and not read from the follower's rows."""
    found: dict[tuple[str, str], dict[Path, tuple[str, ...]]] = {}
    for database in SCOPES:
        rows = server.reader.execute("SELECT doc_id FROM documents WHERE database = ?", (database,)).fetchall()
        for row in rows:
            if ":" in row["doc_id"] or (read := await _read(server, database, row["doc_id"])) is None:
                continue
            document, _, together = read
            if isinstance(together, Combined):
                found[database, row["doc_id"]] = dict(together.open)
            else:
                # Where nobody worked side by side there is nothing to wait with.
                leaves, held = document.graph.leaves(), document.graph.held
                live = [leaf for leaf in leaves if not held[leaf]]
                found[database, row["doc_id"]] = {"": tuple(sorted(live or leaves))} if len(leaves) > 1 else {}
    return found
