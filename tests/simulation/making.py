"""The beginning of a world: its servers' disks and clocks, its people and their phones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from unittest.mock import patch
from uuid import UUID

from server.journal.model import NewRevision, Origin
from server.platform.clock import Clock
from sync.revisions.canonical import Json
from tests.simulation import working
from tests.simulation.app_process import AppProcess
from tests.simulation.checks import Made
from tests.simulation.disk import Disk
from tests.simulation.events import SERVERS, links_between
from tests.simulation.kinds import BY_TURNS, PHOTOS, SHARED, SLOW, kinds_of
from tests.simulation.network import Network
from tests.simulation.province import MOST_PEOPLE, SCOPES, UNITS, Image, base_content, person
from tests.simulation.replica import Replica, Travelling
from tests.simulation.server import Server
from tests.simulation.wire import Lines
from tests.simulation.world import World

T = TypeVar("T")

#: Most worlds are small: two people and a crash are enough for most of what can go wrong, and so there can be many.
_PEOPLE = (3, 3, 3, 3, 4, 4, 5, 6, 8)

#: The first seed of a world whose servers replicate with each other by the product's own code.
PEERS_FROM = 1000
#: Of these the whole province comes; a hub takes its own commune's.
_WHOLE = ("province", "centre")
_OF_A_HUB = tuple(scope for scope in SCOPES if scope.endswith(UNITS[0]))
#: How large photos are; a piece of an upload is 131,072 bytes.
_PHOTO_BYTES = (1_000, 40_000, 131_072, 150_000, 270_000)
#: What a slow link has to carry.
_LONG_RECORDS = 10


def are_peers(seed: int) -> bool:
    """Whether a seed's servers replicate by the product's own code: the second of each two thousand seeds do."""
    return seed // PEERS_FROM % 2 == 1


async def make_world(seed: int, disks: dict[str, Disk], image: Image, app: AppProcess | None) -> World:
    """Return a world before its first event; its phones run in `app` where that is given."""
    random = Random(seed)
    servers: dict[str, Server] = {}
    names = SERVERS[: random.choices((2, 3, 4, 5), (45, 40, 9, 6))[0]]
    links = links_between(names, is_ring=len(names) > 3 or random.random() < 0.7)
    world = World(seed, servers, links, Replica("copy"), random, image.records, app=app, save_on=working.save_on)
    world.network = Network(servers, random, world.log, seen=world.seen)
    world.are_peers = are_peers(seed)
    world.kinds = kinds_of(seed)
    world.lines = Lines(random, world.log, world.seen)
    for name in names:
        disks[name].install(image.content, random)
        # A mini-computer without a battery for its clock lives in another year.
        error = timedelta(days=random.choice((0, 0, -5000, 3000))) if name == "hub" else timedelta()
        takes = SCOPES if name in _WHOLE or BY_TURNS not in world.kinds else _OF_A_HUB
        servers[name] = Server(name, disks[name], _clock(world, error), frozenset(takes))
        servers[name].empty_files()
        servers[name].start()
    for (database, doc_id), revision in image.base.items():
        world.note(database, doc_id, revision.rev, Made(None, False, revision.content))
        world.replica.put(database, Travelling(doc_id, revision.rev, (), False, revision.content))
    people = random.choice(_PEOPLE) if random.random() < 0.98 else random.randint(12, MOST_PEOPLE)
    scopes = {person(number): {SCOPES[0], *random.sample(SCOPES, 1)} for number in range(people)}
    for one in servers.values():
        await one.set_scopes(scopes)
    owners = list(scopes)
    while owners:
        # Where phones are shared, some have one for themselves all the same.
        few = 2 if SHARED in world.kinds and random.random() < 0.8 else 1
        world.phones += world.new_phones(owners[:few], f"phone {len(world.phones)}")
        owners = owners[few:]
    if PHOTOS in world.kinds:
        world.album += [random.randbytes(random.choice(_PHOTO_BYTES)) for _ in range(4)]
    if SLOW in world.kinds:
        await _fill_with_long_records(world)
    if world.are_peers:
        # Slow lines stay slow, also when nothing fails any more.
        world.lines.bears = random.choice((2, 6, 1000))
    world.log(f"{people} phones, {', '.join(names)} and {world.replica.name}")
    return world


@contextmanager
def ids_from(random: Random) -> Iterator[None]:
    """Let ids that the product makes by chance be made by the seed while the block runs."""

    def uuid4() -> UUID:
        return UUID(int=random.getrandbits(128), version=4)

    with (
        patch("server.platform.ids.secrets", SimpleNamespace(randbits=random.getrandbits)),
        patch("server.peers.checkpoints.uuid", SimpleNamespace(uuid4=uuid4)),
    ):
        yield


@contextmanager
def in_one_thread() -> Iterator[None]:
    """Let work that the product gives to other threads be done at once: their order would be nobody's."""

    async def at_once(work: Callable[..., T], /, *arguments: Any, **options: Any) -> T:
        return work(*arguments, **options)

    with patch("asyncio.to_thread", at_once):
        yield


async def _fill_with_long_records(world: World) -> None:
    scope = SCOPES[0]
    content = base_content(scope)
    made = []
    for number in range(_LONG_RECORDS):
        # As hard to shorten as any text is.
        text = world.random.randbytes(6_000).hex()
        long = {**content, "answers": {**cast(dict[str, Json], content["answers"]), "note": text}}
        made.append(NewRevision.following(f"{number:08x}-0000-7000-8000-000000000000", long, None))
    await world.servers["province"].journal.write(scope, made, Origin())
    for one in made:
        world.note(scope, one.doc_id, one.rev, Made(None, False, one.content))


def _clock(world: World, error: timedelta) -> Clock:
    return lambda: world.now + error
