"""The beginning of a world: its servers' disks and clocks, its people and their phones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import patch
from uuid import UUID

from server.platform.clock import Clock
from tests.simulation import working
from tests.simulation.app_process import AppProcess
from tests.simulation.checks import Made
from tests.simulation.disk import Disk
from tests.simulation.events import SERVERS, links_between
from tests.simulation.network import Network
from tests.simulation.province import MOST_PEOPLE, SCOPES, Image, person
from tests.simulation.replica import Replica, Travelling
from tests.simulation.server import Server
from tests.simulation.wire import Lines
from tests.simulation.world import World

T = TypeVar("T")

#: Most worlds are small: two people and a crash are enough for most of what can go wrong, and so there can be many.
_PEOPLE = (3, 3, 3, 3, 4, 4, 5, 6, 8)

#: The first seed of a world whose servers replicate with each other by the product's own code.
PEERS_FROM = 1000
#: The first seed of a world whose phones run the app's own code.
APP_FROM = 10_000_000


def are_peers(seed: int) -> bool:
    """Whether a seed's servers replicate by the product's own code: the second of each two thousand seeds do."""
    return seed // PEERS_FROM % 2 == 1


def has_app(seed: int) -> bool:
    """Whether a seed's phones run the app's own code."""
    return seed >= APP_FROM


async def make_world(seed: int, disks: dict[str, Disk], image: Image, app: AppProcess | None) -> World:
    """Return a world before its first event; its phones run in `app` where that is given."""
    random = Random(seed)
    servers: dict[str, Server] = {}
    names = SERVERS[: random.choices((2, 3, 4, 5), (45, 40, 9, 6))[0]]
    links = links_between(names, is_ring=len(names) > 3 or random.random() < 0.7)
    world = World(seed, servers, links, Replica("copy"), random, image.records, app=app, save_on=working.save_on)
    world.network = Network(servers, random, world.log, seen=world.seen)
    world.are_peers = are_peers(seed)
    world.lines = Lines(random, world.log, world.seen)
    for name in names:
        disks[name].install(image.content, random)
        # A mini-computer without a battery for its clock lives in another year.
        error = timedelta(days=random.choice((0, 0, -5000, 3000))) if name == "hub" else timedelta()
        servers[name] = Server(name, disks[name], _clock(world, error))
        servers[name].start()
    for (database, doc_id), revision in image.base.items():
        world.note(database, doc_id, revision.rev, Made(None, False, revision.content))
        world.replica.put(database, Travelling(doc_id, revision.rev, (), False, revision.content))
    people = random.choice(_PEOPLE) if random.random() < 0.98 else random.randint(12, MOST_PEOPLE)
    scopes = {person(number): {SCOPES[0], *random.sample(SCOPES, 1)} for number in range(people)}
    for one in servers.values():
        await one.set_scopes(scopes)
    world.phones += [world.new_phone(who, f"phone {number}") for number, who in enumerate(scopes)]
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


def _clock(world: World, error: timedelta) -> Clock:
    return lambda: world.now + error
