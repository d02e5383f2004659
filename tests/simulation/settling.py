"""The end of a story: faults stop, everybody meets everybody until nothing moves any more, and the whole is checked."""

from datetime import timedelta

from tests.simulation import app_checks, checks, deciding, peering, register, working
from tests.simulation.checks import Broken
from tests.simulation.events import both_ways
from tests.simulation.kinds import RESTORED
from tests.simulation.network import heads
from tests.simulation.phone import Phone
from tests.simulation.province import SCOPES
from tests.simulation.replication import is_behind
from tests.simulation.server import Server
from tests.simulation.world import World

#: Rounds in which everybody meets everybody. A chain of hub, province and centre passes anything on in two; letting in
#: what waits behind what waits, and telling everyone, takes the others.
MOST_ROUNDS = 12


async def settle(world: World) -> int:
    """Bring the world to rest and check it; return how many rounds it took."""
    world.network.is_faulty = world.lines.is_faulty = False
    while world.network.late:
        await world.network.arrive_late()
    while world.lines.late:
        await world.lines.arrive_late()
    world.log("faults stop")
    await world.spread_people()
    await deciding.spread_forms(world)
    # What arrives in pieces: first the end of a line without its beginning, then one that tells all.
    world.replica.revs_limit = 1
    await world.replicate(world.replica.name, "province", SCOPES)
    await working.replica_edits(world)
    world.replica.revs_limit = 20
    before: object = None
    done: dict[tuple[str, ...], object] = {}
    for number in range(1, MOST_ROUNDS + 1):
        have_met = await _round(world, done)
        world.check()
        now = _standing(world)
        if have_met and now == before:
            await _check_at_rest(world)
            return number
        before = now
    raise Broken("rest", f"the world does not come to rest in {MOST_ROUNDS} rounds")


async def _round(world: World, done: dict[tuple[str, ...], object]) -> bool:
    """Let everybody meet everybody; return whether all who should have met did.

    `done` are meetings with nothing new to either side since they last went well.
    """
    if not done:
        # What a phone hands over once has reached every server by the time it visits the others.
        for phone in world.phones:
            await world.visit(phone, world.some_server())
    await _replicate_all(world, done)
    for one in world.servers.values():
        if await world.accept(one):
            await _replicate_all(world, done)
    have_met = True
    for one in world.servers.values():
        for phone in world.phones:
            if done.get((phone.name, one.name)) == _between(phone, one):
                continue
            if await world.meet(phone, one):
                done[phone.name, one.name] = _between(phone, one)
            else:
                have_met = False
    return have_met


async def _replicate_all(world: World, done: dict[tuple[str, ...], object]) -> None:
    """Replicate over every link, one way round and then the other, until nothing goes over any more.

    News travels one link at a time and every server merges what it has before it hears what the next made of it.
    """
    copy = both_ways([("province", world.replica.name)])
    onward = [*reversed(world.links), *copy]
    back = [*((target, source) for source, target in world.links), *copy]
    still = 0
    for number in range(6 * len(world.servers)):
        for one in world.servers.values():
            if done.get(("follows", one.name)) != heads(one):
                done["follows", one.name] = heads(one)
                await one.follow()
        moved = False
        for source, target in onward if number % 2 == 0 else back:
            feeds = _feeds(world, source)
            news = [name for name in SCOPES if done.get((source, target, name)) != feeds.get(name)]
            if lacking := [name for name in news if await is_behind(*world.ends(source, target), name)]:
                await world.replicate(source, target, lacking)
                moved = True
            done.update({(source, target, name): feeds.get(name) for name in news})
        still = 0 if moved else still + 1
        if still == 2:
            return
    raise Broken("rest", "servers go on merging what the others have merged")


def _feeds(world: World, name: str) -> dict[str, int]:
    return dict(heads(world.servers[name])) if name in world.servers else dict(world.replica.sequences)


def _between(phone: Phone, server: Server) -> object:
    """Return what a visit depends on: how far the feeds are that the phone gets, how far it has come, its grants."""
    scopes = server.scopes_of(phone.person)
    state = phone.rows.servers.get(server.name)
    feeds = [head for head in heads(server) if head[0] in scopes]
    return feeds, state and (dict(state.since), state.verdicts), scopes, phone.waiting_for(server.name)


def _standing(world: World) -> object:
    phones = [
        (name, state.since, state.verdicts)
        for phone in world.phones
        for name, state in sorted(phone.rows.servers.items())
    ]
    return [heads(one) for one in world.servers.values()], dict(world.replica.sequences), phones


async def _check_at_rest(world: World) -> None:
    servers = world.servers
    await _let_a_month_pass(world)
    await world.reader.read_on(servers["province"])
    for one in servers.values():
        for database in SCOPES:
            if faults := await one.journal.faults(database):
                raise Broken("audit", f"{one.name} {database}: {faults[0]}")
        waiting = [
            row["reason"]
            for row in one.reader.execute("SELECT * FROM quarantine WHERE accepted_at IS NULL")
            if (row["database"], row["doc_id"], row["rev"]) in world.made
        ]
        if stuck := [reason for reason in waiting if reason not in ("forged_generation", "known_id_other_content")]:
            raise Broken("rest", f"{one.name} still keeps aside: {stuck}")
    peering.check_left_out(servers.values())
    await register.check_questions(world)
    checks.check_alike(list(servers.values()), world.replica, world.made)
    app_checks.check_pruned(servers.values(), world.pruned)
    for phone in world.phones:
        await _take_over(world, phone)
        for one in servers.values():
            state = phone.rows.servers[one.name]
            carried = one.scopes_of(phone.person)
            checks.check_copy(phone, one, {"catalog", *carried})
            if set(state.carry) != {"catalog", *carried}:
                raise Broken("I9", f"{phone.name} carries {state.carry} of {one.name}")
            kept = set()
            for own in phone.rows.revisions.values():
                receipt = own.receipt(one.name)
                key = (own.database, own.doc_id, own.rev)
                if receipt is None and _is_for_others(own.database, one, phone):
                    continue
                if receipt is None or (receipt.outcome == "refused" and receipt.reason != "not_allowed"):
                    raise Broken("I2", f"{phone.name} cannot hand {' '.join(key)} to {one.name}: {receipt}")
                if receipt.outcome != "refused":
                    kept.add(key)
            one.promised |= kept
            checks.check_reachable(one, sorted(kept))
            world.seen["photos at rest"] += app_checks.check_photos(phone, one)
            world.seen["gaps reported"] += checks.check_numbers(
                one, phone.enrolment, world.network.heard[one.name][phone.enrolment]
            )
    for one in servers.values():
        checks.check_promises(one, world.made)
        checks.check_reachable(one, sorted(one.promised))


async def _let_a_month_pass(world: World) -> None:
    """Where servers were restored, let phones drop what they need not keep any more."""
    if RESTORED not in world.kinds:
        return
    world.log("a month passes")
    world.now += timedelta(days=31)
    for phone in world.phones:
        for one in world.servers.values():
            if not await world.meet(phone, one):
                raise Broken("rest", f"{phone.name} does not come to an end with {one.name}")


async def _take_over(world: World, phone: Phone) -> None:
    """Let somebody who shares a phone sign in on it once more, so that what they see can be looked at."""
    if len(phone.sharing) == 1:
        return
    before = [heads(one) for one in world.servers.values()]
    for one in world.servers.values():
        if not await world.meet(phone, one):
            raise Broken("rest", f"{phone.name} does not come to an end with {one.name}")
    if [heads(one) for one in world.servers.values()] != before:
        raise Broken("rest", f"{phone.name} brings something more when they sign in again")


def _is_for_others(database: str, server: Server, phone: Phone) -> bool:
    """Whether a phone holds back what is in a database from a server, for another that takes it."""
    places = {name: state.carry for name, state in phone.rows.servers.items()}
    return database not in places[server.name] and any(database in carry for carry in places.values())
