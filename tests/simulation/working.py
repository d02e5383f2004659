"""What people do in a world: they save, send, give and take grants, let in what waits, and connect servers."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from sync.revisions.canonical import canonical
from tests.simulation.app_phone import AppPhone
from tests.simulation.checks import Made
from tests.simulation.disk import Killed
from tests.simulation.events import both_ways, short
from tests.simulation.phone import Phone
from tests.simulation.province import ASKED, FORM, NEXT_VERSION, SCOPES, VERSION
from tests.simulation.server import Server
from tests.simulation.world import World


async def save(world: World) -> None:
    """Somebody fills a form, nearly always about one of the records that everybody is about."""
    save_on(world, world.random.choice(world.phones))


def save_on(world: World, phone: Phone) -> None:
    """Let the person of a phone fill a form."""
    database = world.scope_of(phone)
    usual = world.records[database]
    doc_id = world.random.choice(usual) if world.random.random() < 0.85 else world.new_record(phone, database)
    if not phone.can_save:
        world.log(f"{phone.name} has nobody signed in")
        return
    if (database, doc_id) not in phone.rows.drafts:
        doc_id = phone.open_draft(database, doc_id)
    if world.random.random() < 0.15:
        world.log(f"{phone.name} opens {database} {doc_id} and leaves it open")
        return
    _finish(world, phone, database, doc_id)


def _finish(world: World, phone: Phone, database: str, doc_id: str) -> None:
    """Finish a draft with one or two answers changed, or delete the record."""
    base = phone.rows.drafts[database, doc_id]
    before = json.loads(base[1]) if base else {}
    versions = {_version_on(world, phone), before.get("form_version")}
    version = NEXT_VERSION if NEXT_VERSION in versions else VERSION
    content: dict[str, Any] = {"type": "record", "form": FORM[database.partition("-")[0]], "form_version": version}
    answers = dict(before.get("answers", {"crop": "ngô", "area": "1.0", "note": None, "kinds": ["a"]}))
    asked = (*ASKED, "note", "kinds", *(("owner",) if version == NEXT_VERSION else ()))
    for name in world.random.sample(asked, world.random.randint(1, 2)):
        answers[name] = answer(world, name, answers.get(name))
    deleted = base is not None and world.random.random() < 0.05 and phone.can_delete
    if world.random.random() < 0.02:
        content["form_version"] = "unpublished"
    content = {"type": "record"} if deleted else {**content, "answers": answers, "media": {}}
    if world.album and isinstance(phone, AppPhone) and world.random.random() < 0.5:
        phone.camera += world.random.choices(world.album, k=world.random.choice((1, 1, 2)))
    own = phone.finish_draft(database, doc_id, content, deleted=deleted)
    world.network.authors[own.rev] = phone.enrolment
    world.note(database, doc_id, own.rev, Made(own.parent, own.deleted, own.content))
    verb = "deletes" if deleted else "saves"
    world.log(f"{phone.name} {verb} {database} {doc_id} as {short(own.rev)} after {short(own.parent)}, as {own.number}")


def answer(world: World, name: str, before: Any) -> Any:
    """Return another answer to a question."""
    if name == "kinds":
        return sorted(set(before or ()) ^ {world.random.choice("abc")}) or None
    if name == "note":
        return f"{before or ''} {world.random.randrange(100)}".strip()
    return world.random.choice(("lúa", "sắn", "0.8", "1.2", "2.5", None))


def _version_on(world: World, phone: Phone) -> str:
    met = [world.servers[name] for name in phone.rows.servers if world.servers[name].has_next_version]
    return NEXT_VERSION if met and world.random.random() < 0.7 else VERSION


async def discard(world: World) -> None:
    """Somebody takes back what they saved and no request has carried."""
    phone = world.random.choice(world.phones)
    open_ones = [own for own in phone.rows.revisions.values() if not own.frozen and phone.can_save]
    if open_ones:
        own = world.random.choice(sorted(open_ones, key=lambda one: one.number))
        phone.discard(own)
        world.log(f"{phone.name} takes number {own.number} back")


async def visit(world: World) -> None:
    """A phone exchanges with a server."""
    phone = world.random.choice(world.phones)
    await world.visit(phone, world.usual_server(phone))


async def crowd(world: World) -> None:
    """Several phones at the same server at the same time, and perhaps someone takes a grant away meanwhile."""
    to = world.some_server()
    few = world.random.sample(world.phones, min(len(world.phones), world.random.randint(2, 4)))
    # A device is in one place.
    few = list({phone.place: phone for phone in few}.values())
    world.log(f"{', '.join(phone.name for phone in few)} visit {to.name} at once")
    to.disk.is_shared = True
    work: list[Awaitable[object]] = [world.visit(phone, to) for phone in few]
    if world.random.random() < 0.4:
        work.append(to.follow())
    if world.random.random() < 0.3:
        work.append(_change_grants(world, to, world.random.choice(few).person))
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, Killed):
            raise outcome
    to.disk.is_shared = False


async def grants_change(world: World) -> None:
    """Somebody may work elsewhere from now on; most of the time every server hears of it."""
    await _change_grants(world, world.servers["province"], world.random.choice(world.phones).person)
    if world.random.random() < 0.6:
        await world.spread_people()


async def _change_grants(world: World, at: Server, who: str) -> None:
    few = world.random.choice((0, 1, 1, 2, 4))
    scopes = sorted({SCOPES[0], *world.random.sample(SCOPES, few)}) if few else []
    world.log(f"{at.name}: {who} may now work in {', '.join(scopes) or 'nothing'}")
    await at.set_scopes({who: scopes})


async def manager(world: World) -> None:
    """A manager looks at what waits."""
    await world.accept(world.some_server())


async def replica_edits(world: World) -> None:
    """The other department edits a record, often several times in a row."""
    # Mostly the same one: lines of its edits arrive in pieces.
    is_usual = world.random.random() < 0.7
    database = SCOPES[0] if is_usual else world.random.choice(SCOPES)
    records = world.records[database]
    doc_id = records[0] if is_usual else world.random.choice(records)
    for _ in range(world.random.choice((1, 2, 3))):
        said = world.replica.content_of(database, doc_id)
        if "answers" in said and world.random.random() < 0.8:
            name = world.random.choice(ASKED)
            # Got, changed and put: what it says besides the answers it only repeats.
            said["answers"] = {**said["answers"], name: answer(world, name, None)}
        else:
            said = {"type": "record", "said": f"{world.random.randrange(5)}"}
        made = world.replica.edit(database, doc_id, canonical(said), deleted=world.random.random() < 0.1)
        if made is not None:
            world.note(database, doc_id, made.rev, Made(made.ancestors[0], made.deleted, made.content))
            world.log(f"{world.replica.name} edits {database} {doc_id} to {short(made.rev)}")


async def read_feed(world: World) -> None:
    """Somebody who only follows the province's feed reads on."""
    world.log("a reader reads on")
    await world.reader.read_on(world.servers["province"])


async def replicate(world: World) -> None:
    """Two ends of a link exchange some databases."""
    links = world.links if world.random.random() < 0.7 else (("province", world.replica.name),)
    source, target = world.random.choice(both_ways(links))
    await world.replicate(source, target, world.random.sample(SCOPES, world.random.randint(1, len(SCOPES))))
