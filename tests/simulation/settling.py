"""The end of a story: faults stop, everybody meets everybody until nothing moves any more, and the whole is checked."""

from tests.simulation import checks
from tests.simulation.checks import Broken
from tests.simulation.events import LINKS
from tests.simulation.network import heads
from tests.simulation.province import SCOPES
from tests.simulation.world import World

#: Rounds in which everybody meets everybody. A chain of hub, province and centre passes anything on in two; letting in
#: what waits behind what waits, and telling everyone, takes the others.
MOST_ROUNDS = 12


async def settle(world: World) -> int:
    """Bring the world to rest and check it; return how many rounds it took."""
    world.network.is_faulty = False
    while world.network.late:
        await world.network.arrive_late()
    world.log("faults stop")
    await world.spread_people()
    before: object = None
    done: dict[tuple[str, ...], object] = {}
    for number in range(1, MOST_ROUNDS + 1):
        await _round(world, done)
        world.check()
        now = _standing(world)
        if now == before:
            await _check_at_rest(world)
            return number
        before = now
    raise Broken("rest", f"the world does not come to rest in {MOST_ROUNDS} rounds")


async def _round(world: World, done: dict[tuple[str, ...], object]) -> None:
    """Let everybody meet everybody; `done` are meetings with nothing new to either side since they last went well."""
    for one in world.servers.values():
        for phone in world.phones:
            state = phone.rows.servers.get(one.name)
            now = (heads(one), state and (dict(state.since), state.verdicts), one.scopes_of(phone.person))
            if done.get((phone.name, one.name)) != now:
                await world.visit(phone, one)
                state = phone.rows.servers[one.name]
                done[phone.name, one.name] = (
                    heads(one),
                    (dict(state.since), state.verdicts),
                    one.scopes_of(phone.person),
                )
    copy = world.replica.name
    for source, target in (*LINKS, *((b, a) for a, b in LINKS), (copy, "province"), ("province", copy)):
        moved = []
        for database in SCOPES:
            if done.get((source, target, database)) != _head(world, source, database):
                done[source, target, database] = _head(world, source, database)
                moved.append(database)
        if moved:
            await world.replicate(source, target, moved)
    for one in world.servers.values():
        await world.accept(one)


def _head(world: World, name: str, database: str) -> object:
    return (
        world.replica.sequences.get(database, 0)
        if name not in world.servers
        else dict(heads(world.servers[name]))[database]
    )


def _standing(world: World) -> object:
    phones = [
        (name, state.since, state.verdicts)
        for phone in world.phones
        for name, state in sorted(phone.rows.servers.items())
    ]
    return [heads(one) for one in world.servers.values()], dict(world.replica.sequences), phones


async def _check_at_rest(world: World) -> None:
    servers = world.servers
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
    world.seen["conflicted at rest"] += checks.check_alike(servers.values(), world.replica, world.made)
    for phone in world.phones:
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
                if receipt is None or (receipt.outcome == "refused" and receipt.reason != "not_allowed"):
                    raise Broken("I2", f"{phone.name} cannot hand {' '.join(key)} to {one.name}: {receipt}")
                if receipt.outcome != "refused":
                    kept.add(key)
            one.promised |= kept
            checks.check_reachable(one, sorted(kept))
            world.seen["gaps reported"] += checks.check_numbers(
                one, phone.enrolment, world.network.heard[one.name][phone.enrolment]
            )
    for one in servers.values():
        checks.check_promises(one, world.made)
        checks.check_reachable(one, sorted(one.promised))
