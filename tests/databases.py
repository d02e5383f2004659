"""Databases of PostgreSQL for one test each: copied ahead of the test, and dropped behind its back.

One connection does this in a thread beside the tests. To drop a database at once would also mean to wait for those who
are still hanging up: PostgreSQL looks again only after a tenth of a second.
"""

import asyncio
import itertools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg

from tests.postgresql import Cluster


class Databases:
    """Copies of templates; a template is a database that nobody is connected to."""

    def __init__(self, cluster: Cluster) -> None:
        """Do nothing yet."""
        # From version 15 on PostgreSQL would write each page to its log, which takes twice as long as copying files.
        self._how = "STRATEGY FILE_COPY" if cluster.version >= 15 else ""
        self._cluster = cluster
        self._beside = ThreadPoolExecutor(1)
        self._loop = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None
        self._numbers = itertools.count(1)
        self._ready: dict[str, Future[str]] = {}
        self._given_back: list[str] = []

    async def take(self, template: str) -> str:
        """Return the name of a new copy; another one is begun for whoever comes next."""
        ready = self._ready.pop(template, None) or self._beside.submit(self._copy, template)
        self._ready[template] = self._beside.submit(self._copy, template)
        return await asyncio.wrap_future(ready)

    def give_back(self, name: str) -> None:
        """Have a copy dropped, once somebody takes the next one."""
        self._given_back.append(name)

    def close(self) -> None:
        """Hang up, and drop nothing: the cluster goes as well."""
        self._beside.submit(self._hang_up).result()
        self._beside.shutdown()

    def _copy(self, template: str) -> str:
        while self._given_back:
            self._do(f"DROP DATABASE {self._given_back.pop()} WITH (FORCE)")
        name = f"test_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template} {self._how}")
        return name

    def _do(self, statement: str) -> None:
        if self._connection is None:
            directory = str(self._cluster.directory)
            self._connection = self._loop.run(asyncpg.connect(host=directory, user="nuong", database="postgres"))
        self._loop.run(self._connection.execute(statement))

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._loop.run(self._connection.close())
        self._loop.close()


@contextmanager
def databases_of(cluster: Cluster) -> Iterator[Databases]:
    """Give the databases of a cluster until the block ends."""
    made = Databases(cluster)
    try:
        yield made
    finally:
        made.close()
