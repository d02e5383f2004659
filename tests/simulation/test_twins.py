"""The Python phone does request for request what the app does, in one story told with each of them.

It stands for the app in most worlds, so what it says on the wire must be what the app says: between one server and its
phones, over a link that loses, doubles and delays, with servers that die and are restored and grants that change.

What differs, and is left out here: where another server answers, the app asks once as it would ask the one that it met
last; it holds back what only another server takes; it takes what arrived of an answer that broke off; how much it asks
for follows the time that a round took; it cannot delete a record, and begins one that it does not know under a new id.
Only worlds of the app's phones look at these.
"""

import gzip
import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from tests.simulation import deciding, failing, making, network, working
from tests.simulation.app_phone import AppPhone
from tests.simulation.app_process import AppProcess
from tests.simulation.kinds import APP_FROM
from tests.simulation.making import ids_from, in_one_thread, make_world
from tests.simulation.network import Network
from tests.simulation.phone import Phone
from tests.simulation.province import SCOPES
from tests.simulation.run import Simulator, simulator
from tests.simulation.world import World

STEPS = 40


async def grants_move(world: World) -> None:
    """Somebody may work elsewhere from now on, and always in the first scope: what they open there they know."""
    who = world.random.choice(world.phones).person
    await world.servers["province"].set_scopes({who: {SCOPES[0], world.random.choice(SCOPES)}})


#: Of what happens in worlds, what both phones know.
EVENTS: tuple[tuple[int, Callable[[World], Awaitable[None]]], ...] = (
    (40, working.save),
    (6, working.discard),
    (8, grants_move),
    (8, deciding.follow),
    (6, working.manager),
    (4, failing.late),
    (4, failing.back_up),
    (4, failing.restore),
)
FAULTS = {fault: weight for fault, weight in network.FAULTS.items() if fault != "answer cut"}
#: What each phone makes by itself: ids of records and revisions, and what of a feed's place only its server reads.
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|record-\d+|(?<=-)[0-9a-f]{32}|(?<=\d-)[0-9a-f]{6,31}\b")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [APP_FROM + number for number in range(1, 5)])
async def test_a_python_phone_asks_for_what_the_app_asks(seed: int) -> None:
    async with simulator() as machines:
        _, app = await machines.parts(seed)
        assert app is not None
        by_python = await asked(machines, seed, None)
        by_app = await asked(machines, seed, app)
    assert len(by_app) > STEPS // 4
    for number, (one, other) in enumerate(zip(by_python, by_app, strict=False)):
        assert one == other, f"request {number} differs"
    assert len(by_python) == len(by_app)


async def asked(machines: Simulator, seed: int, app: AppProcess | None) -> list[object]:
    """Return all requests of a story, told with phones of Python or of the app."""
    image, _ = await machines.parts(seed)
    said: list[object] = []
    calm = patch.object(Phone, "trouble_rate", 0.0), patch.object(AppPhone, "trouble_rate", 0.0)
    plain = patch.object(making, "kinds_of", lambda _: frozenset[str]())
    with ids_from(Random(seed)), in_one_thread(), patch.object(network, "FAULTS", FAULTS), calm[0], calm[1], plain:
        world = await make_world(seed, machines.disks, image, app)
        with (
            patch.object(Phone, "can_delete", False),
            patch.object(Phone, "moment", moment),
            patch.object(Network, "send", listening(said)),
        ):
            await tell(world)
        for server in world.servers.values():
            await server.stop()
    if app is not None:
        app.say(do="end")
    return said


def moment(self: Phone) -> str:
    """Return the time of a phone's clock as JavaScript writes it: revision ids, and who wins, depend on it."""
    at = (self.clock() + self.clock_error).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def listening(said: list[object]) -> Callable[..., Awaitable[bytes]]:
    """Return what notes each request as it leaves, and sends it."""
    proper, names = Network.send, dict[str, str]()

    async def send(self: Network, to: str, body: bytes, token: str | None) -> bytes:
        said.append(said_by(json.loads(gzip.decompress(body)), token, names))
        return await proper(self, to, body, token)

    return send


def said_by(request: dict[str, Any], token: str | None, names: dict[str, str]) -> object:
    """Return a request with its ids named in the order in which they came."""
    for left_out in ("seal", "device", "max_bytes"):
        request.pop(left_out)
    request["verdicts"].sort(key=int)
    request["holding"]["discarded"].sort(key=int)
    text = json.dumps({"signed in": token is not None, **request}, sort_keys=True, ensure_ascii=False)
    return json.loads(IDS.sub(lambda found: names.setdefault(found[0], f"id {len(names)}"), text))


async def tell(world: World) -> None:
    """Let everybody sign in at the province, and then things happen there."""
    world.random.seed(world.seed)
    for phone in world.phones:
        await world.visit(phone, world.servers["province"])
    for _ in range(STEPS):
        world.now += timedelta(seconds=world.random.choice((1, 600, 50_000)))
        event = world.random.choices(EVENTS, [weight for weight, _ in EVENTS])[0][1]
        await event(world)
        for one in world.servers.values():
            if one.disk.is_dead:
                await one.restart()
        await world.visit(world.random.choice(world.phones), world.servers["province"])
        for one in world.servers.values():
            if one.disk.is_dead:
                await one.restart()
