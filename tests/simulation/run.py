"""Runs seeds, and tells the story of one that failed."""

import logging
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import structlog

from tests.memory import memory
from tests.simulation.app_process import AppBroken, AppProcess, Mistake
from tests.simulation.checks import Broken
from tests.simulation.disk import Disk
from tests.simulation.events import SERVERS
from tests.simulation.kinds import has_app
from tests.simulation.living import live
from tests.simulation.making import ids_from, in_one_thread, make_world
from tests.simulation.province import APP_RECORDS, BASE_RECORDS, Image, make_image
from tests.simulation.settling import settle
from tests.simulation.world import World

#: How many things happen: mostly few, so that there can be many stories.
_EVENTS = (20, 30, 30, 40, 40, 50, 70)


@dataclass(frozen=True, slots=True)
class Story:
    """How a seed went: its trace, what happened in it how often, and what broke, if anything."""

    seed: int
    trace: tuple[str, ...]
    seen: Counter[str]
    rounds: int
    broken: BaseException | None

    def told(self) -> str:
        """Return the trace in words, with how to see it again."""
        head = f"Seed {self.seed} broke: {type(self.broken).__name__}: {self.broken}"
        # A broken invariant says itself what is wrong; any other error is somewhere in the code.
        where = (
            []
            if self.broken is None or isinstance(self.broken, Broken)
            else traceback.format_tb(self.broken.__traceback__)
        )
        return "\n".join((*self.trace, *where, head, f"again: make simulate SEED={self.seed}"))


@dataclass(frozen=True, slots=True)
class Simulator:
    """The machines on which seeds run one after the other."""

    disks: dict[str, Disk]
    image: Image
    #: What servers begin with in worlds whose phones run the app; made when it is first needed.
    app_images: list[Image] = field(default_factory=list)
    #: What of the app was changed, in worlds whose phones run it.
    mistake: Mistake | None = None
    _running: list[AppProcess] = field(default_factory=list)

    async def run(self, seed: int) -> Story:
        """Return the story of a seed, however it ends."""
        random = Random(f"ids {seed}")
        world: World | None = None
        rounds = 0
        broken: BaseException | None = None
        image, app = await self.parts(seed)
        with ids_from(random), in_one_thread(), _silence():
            try:
                world = await make_world(seed, self.disks, image, app)
                await live(world, world.random.choice(_EVENTS))
                rounds = await settle(world)
            except Exception as error:
                broken = error
            finally:
                for one in world.servers.values() if world is not None else ():
                    await one.stop()
                if world is not None and world.app is not None and not isinstance(broken, AppBroken):
                    world.app.say(do="end")
        trace = tuple(world.trace) if world is not None else ()
        return Story(seed, trace, world.seen if world is not None else Counter(), rounds, broken)

    async def parts(self, seed: int) -> tuple[Image, AppProcess | None]:
        """Return what a seed's servers begin with, and where its phones run if they are the app's."""
        if not has_app(seed):
            return self.image, None
        if not self._running:
            self._running.append(AppProcess.start(self.mistake))
            self.app_images.append(await make_image(self.disks[SERVERS[0]], APP_RECORDS))
        return self.app_images[0], self._running[0]

    def stop(self) -> None:
        """End what was started."""
        for app in self._running:
            app.stop()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the servers' log lines out of the story: gaps and failures are what is simulated."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.reset_defaults()


@asynccontextmanager
async def simulator(mistake: Mistake | None = None) -> AsyncIterator[Simulator]:
    """Give machines with empty disks, in memory where there is a folder for it."""
    folder = Path(tempfile.mkdtemp(prefix="nuong-simulation-", dir=memory()))
    try:
        image = await make_image(Disk(folder / "image.sqlite"), BASE_RECORDS)
        machines = Simulator({name: Disk(folder / f"{name}.sqlite") for name in SERVERS}, image, mistake=mistake)
        try:
            yield machines
        finally:
            machines.stop()
    finally:
        shutil.rmtree(folder)
