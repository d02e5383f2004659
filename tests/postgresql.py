"""A PostgreSQL cluster for the length of a test run: started from the installed binaries and thrown away afterwards.

It runs as an ordinary user (PostgreSQL refuses root), listens on a socket and no port, and unless it is to be durable
lives in memory: each test gets a database of its own, copied from one that was migrated once, which on a disk takes ten
times as long.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.house.parts import postgresql_folder
from tests.memory import memory

USERS = ("postgres", "nobody")
OPTIONS = "-c listen_addresses='' -c max_connections=60 -c shared_buffers=64MB -c autovacuum=off"
CARELESS = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    " -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=32MB -c max_wal_size=64MB"
)


class NoPostgresql(RuntimeError):
    """Why there can be no cluster here, as a sentence for the person who runs the tests."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster, reached by the socket in `directory`."""

    directory: Path
    binaries: Path
    user: str | None
    options: str

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://nuong@/{database}?host={self.directory}"

    @property
    def version(self) -> int:
        """Return its major version."""
        return int((self.directory / "data/PG_VERSION").read_text("utf-8").split(".")[0])

    def start(self) -> None:
        """Return when it runs; after a crash, when it has recovered."""
        self._control("-l", self.directory / "log", "-o", self.options, "-w", "start")

    def crash(self) -> None:
        """End all its processes at once, without a checkpoint, as a power cut does."""
        self._control("-m", "immediate", "-w", "stop")

    def kill_backend(self) -> None:
        """End one process that serves a connection by SIGKILL; PostgreSQL then restarts all the others as well."""
        postmaster = (self.directory / "data/postmaster.pid").read_text("utf-8").split()[0]
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text("utf-8").split()
        for child in children:
            if b"postgres: nuong" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                return

    def _control(self, *arguments: str | Path) -> None:
        _run(self.user, self.binaries / "pg_ctl", "-D", self.directory / "data", *arguments)


@contextmanager
def cluster(*, is_durable: bool = False) -> Iterator[Cluster]:
    """Give a running cluster; raise NoPostgresql when there can be none.

    A durable one waits for the disk, as in production: what it acknowledged outlives its own crash.
    """
    binaries = _binaries()
    user = _user()
    directory = Path(tempfile.mkdtemp(prefix="nuong-pg-", dir=None if is_durable else memory()))
    data = directory / "data"
    if user is not None:
        shutil.chown(directory, user)
    made = ("-U", "nuong", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c unix_socket_directories={directory} {OPTIONS} {'' if is_durable else CARELESS}"
    with _ended_with_us(user, binaries / "pg_ctl", directory):
        _run(user, binaries / "initdb", "-D", data, *made)
        running = Cluster(directory, binaries, user, options)
        running.start()
        yield running


@contextmanager
def _ended_with_us(user: str | None, pg_ctl: Path, directory: Path) -> Iterator[None]:
    """Stop the cluster and remove its directory at the end of the block, or when this process dies in whatever way."""
    # A process of its own that waits for the end of its input: the kernel closes that even when we are killed.
    script = 'cat; "$1" -D "$2/data" -m immediate -w stop; rm -rf "$2"'
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", script, "sh", str(pg_ctl), str(directory)],
        user=user,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        assert watcher.stdin is not None
        watcher.stdin.close()
        watcher.wait()


def _binaries() -> Path:
    folder = postgresql_folder()
    if folder is None:
        raise NoPostgresql("PostgreSQL is not installed: python -m tests.house.parts says what to install")
    return folder


def _user() -> str | None:
    """Return the user to run as when we are root; None when we are somebody ordinary."""
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    for user in USERS:
        if user in names:
            return user
    raise NoPostgresql("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _run(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        # The server inherits what pg_ctl was given: a pipe here would stay open and never let us go on.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise NoPostgresql(f"PostgreSQL does not start here: {Path(command[0]).name} ended with {done.returncode}")
