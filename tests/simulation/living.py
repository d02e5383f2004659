"""Life in a world: so many events, one after the other, each chosen by the seed, each followed by the checks."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from tests.simulation import deciding, failing, rogue, working
from tests.simulation.kinds import BY_TURNS, KINDS, PHOTOS, RESTORED, SHARED
from tests.simulation.world import World

Event = Callable[[World], Awaitable[None]]

#: What happens, and how often.
EVENTS: tuple[tuple[int, Event], ...] = (
    (34, working.save),
    (34, working.visit),
    (7, working.crowd),
    (11, working.replicate),
    (7, working.replica_edits),
    (5, working.read_feed),
    (3, working.grants_change),
    (3, working.manager),
    (2, working.discard),
    (14, deciding.follow),
    (5, deciding.decide),
    (2, deciding.undo),
    (1, deciding.publish_next),
    (4, failing.late),
    (3, rogue.attack),
    (3, failing.back_up),
    (2, failing.restore),
    (1, failing.evict),
    (1, failing.lose_a_row),
    (2, failing.battery),
    (1, failing.restart),
)
#: What happens besides in worlds of some kinds.
MORE: dict[str, tuple[tuple[int, Event], ...]] = {
    RESTORED: (
        (6, failing.back_up),
        (8, failing.restore),
        (10, failing.month),
        (20, working.visit),
        (5, failing.copy_phone),
        (5, failing.put_phone_back),
    ),
    PHOTOS: ((6, failing.lose_photo),),
    SHARED: ((30, working.visit),),
    BY_TURNS: ((20, working.visit), (10, working.replicate)),
}
_WEIGHTS = [weight for weight, _ in EVENTS]
#: Where replication itself is looked at there is more of it.
_AMONG_PEERS = [weight * (3 if event is working.replicate else 1) for weight, event in EVENTS]


async def live(world: World, events: int) -> None:
    """Let that many things happen."""
    events_here = [*EVENTS]
    weights = [*(_AMONG_PEERS if world.are_peers else _WEIGHTS)]
    for kind in KINDS:
        for weight, event in MORE.get(kind, ()) if kind in world.kinds else ():
            events_here.append((weight, event))
            weights.append(weight)
    for _ in range(events):
        world.now += timedelta(seconds=world.random.choice((1, 30, 600, 7200, 50000)))
        event = world.random.choices(events_here, weights)[0][1]
        world.seen[event.__name__.replace("_", " ")] += 1
        await event(world)
        for one in world.servers.values():
            if one.disk.is_dead:
                world.log(f"{one.name} starts again")
                await one.restart()
        world.check()
