"""A TCP proxy that counts and shapes: it stands for an EDGE link between a phone and the server.

Each direction has one queue of bytes that leaves at its bandwidth and arrives half a round trip later; what several
connections send shares it, as a radio link does. Opening a connection costs the round trip that TCP's handshake would
(the proxy's own handshake is on loopback and free). Bytes are counted as they leave: a quarter of a second of them
waits in the modem, the rest with who sends it.

A link may lose: of each 1,460 bytes that leave, a share does not arrive and is sent again one round trip later (two
after a second loss, and so on), which takes the link's time once more; what follows on its connection waits for it, as
TCP has it. And it may break: once so many bytes have gone up, all connections end, and what was on its way is gone.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_CHUNK = 1460
_MODEM_S = 0.25


@dataclass(slots=True)
class Link:
    """A link's figures; None for a bandwidth that does not limit."""

    round_trip_s: float = 0.0
    up_bits_per_s: float | None = None
    down_bits_per_s: float | None = None
    #: The share of packets that is lost.
    loss: float = 0.0
    #: After how many bytes up all connections break, each once.
    breaks: tuple[int, ...] = ()


EDGE = Link(round_trip_s=0.600, up_bits_per_s=100_000, down_bits_per_s=200_000)


@dataclass(slots=True)
class Counts:
    """What has left since the last reset; bytes are all that a radio would carry: heads and TLS too.

    `lost_bytes` were lost and are not counted twice in the others.
    """

    connections: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    lost_bytes: int = 0
    breaks: int = 0


@dataclass(slots=True)
class _Lane:
    """One direction: bytes leave one after another, so `free_at` is when the next may start."""

    delay_s: float
    bits_per_s: float | None
    loss: float
    free_at: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(20261130))

    async def pass_on(self, data: bytes, queue: asyncio.Queue[tuple[float, bytes]]) -> int:
        """Let a packet leave, and return how often it was lost before."""
        loop = asyncio.get_running_loop()
        lost = 0
        while self.chance.random() < self.loss:
            lost += 1
        start = max(loop.time(), self.free_at)
        self.free_at = start + (lost + 1) * (len(data) * 8 / self.bits_per_s if self.bits_per_s else 0.0)
        waited = 2 * self.delay_s * (2**lost - 1)
        await queue.put((self.free_at + self.delay_s + waited, data))
        await asyncio.sleep(self.free_at - loop.time() - _MODEM_S)
        return lost


@dataclass(slots=True)
class Proxy:
    """A running proxy: connect to `port`."""

    target_host: str
    target_port: int
    link: Link
    counts: Counts = field(default_factory=Counts)
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _up: _Lane = field(init=False)
    _down: _Lane = field(init=False)

    def __post_init__(self) -> None:
        half = self.link.round_trip_s / 2
        self._up = _Lane(half, self.link.up_bits_per_s, self.link.loss)
        self._down = _Lane(half, self.link.down_bits_per_s, self.link.loss)

    def reset(self) -> None:
        """Count from zero."""
        self.counts = Counts()

    def _count(self, data: bytes, lost: int, *, is_up: bool) -> None:
        counts = self.counts
        counts.lost_bytes += lost * len(data)
        if not is_up:
            counts.down_bytes += len(data)
            return
        counts.up_bytes += len(data)
        if counts.breaks < len(self.link.breaks) and counts.up_bytes >= self.link.breaks[counts.breaks]:
            counts.breaks += 1
            for writer in list(self._writers):
                writer.transport.abort()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port of loopback until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends = {writer}
        self._writers |= ends
        try:
            self.counts.connections += 1
            await asyncio.sleep(self.link.round_trip_s)
            far_reader, far_writer = await asyncio.open_connection(self.target_host, self.target_port)
            ends.add(far_writer)
            self._writers |= ends
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer, self._up, is_up=True))
                group.create_task(self._carry(far_reader, writer, self._down, is_up=False))
        except* (ConnectionError, OSError):
            pass
        except* asyncio.CancelledError:
            # The block has ended; asyncio would log a cancelled connection as a failed one.
            pass
        finally:
            self._tasks.discard(task)
            self._writers -= ends
            writer.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lane: _Lane, *, is_up: bool
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arrivals = asyncio.create_task(_deliver(queue, writer))
        try:
            # What it had read before the link broke does not leave any more.
            while (data := await reader.read(_CHUNK)) and not writer.transport.is_closing():
                lost = await lane.pass_on(data, queue)
                self._count(data, lost, is_up=is_up)
            await queue.put((0.0, b""))
            await arrivals
        finally:
            arrivals.cancel()
            writer.close()


async def _deliver(queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await queue.get()
        if not data:
            return
        await asyncio.sleep(max(0.0, due - loop.time()))
        writer.write(data)
        await writer.drain()
