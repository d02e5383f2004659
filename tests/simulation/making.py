"""The beginning of a world: its servers' disks and clocks, its people and their phones."""

from contextlib import AbstractContextManager
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

from server.clock import Clock
from tests.simulation.checks import Made
from tests.simulation.disk import Disk
from tests.simulation.events import SERVERS
from tests.simulation.network import Network
from tests.simulation.province import MOST_PEOPLE, SCOPES, Image, person
from tests.simulation.replica import Replica
from tests.simulation.server import Server
from tests.simulation.world import World


async def make_world(seed: int, disks: dict[str, Disk], image: Image) -> World:
    """Return a world before its first event."""
    random = Random(seed)
    servers: dict[str, Server] = {}
    world = World(seed, servers, Replica("copy", revs_limit=random.choice((1, 3, 20))), random)
    world.network = Network(servers, random, world.log, seen=world.seen)
    for name in SERVERS:
        disks[name].install(image.content, random)
        # A mini-computer without a battery for its clock lives in another year.
        error = timedelta(days=random.choice((0, 0, -5000, 3000))) if name == "hub" else timedelta()
        servers[name] = Server(name, disks[name], _clock(world, error))
        servers[name].start()
    for (database, doc_id), revision in image.base.items():
        world.note(database, doc_id, revision.rev, Made(None, False, revision.content))
    people = random.choice((3, 3, 4, 4, 5, 6, 8)) if random.random() < 0.97 else random.randint(12, MOST_PEOPLE)
    for number in range(people):
        scopes = {SCOPES[0], *random.sample(SCOPES, 1)}
        for one in servers.values():
            await one.set_scopes(person(number), scopes)
        world.phones.append(world.new_phone(person(number), f"phone {number}"))
    world.log(f"{people} phones, {', '.join(SERVERS)} and {world.replica.name}")
    return world


def ids_from(random: Random) -> AbstractContextManager[object]:
    """Let ids that the product makes by chance be made by the seed while the block runs."""
    return patch("server.ids.secrets", SimpleNamespace(randbits=random.getrandbits))


def _clock(world: World, error: timedelta) -> Clock:
    return lambda: world.now + error
