"""Serving the app over HTTP until told to stop.

The port is taken before anything else is done, so that a command that can't serve has touched nothing, and nobody talks
to another server that has the port.
"""

import gc
import os
import socket
import tempfile
from pathlib import Path

import uvicorn
from sqlalchemy.engine import make_url

from server.app import create_app
from server.auth.shared_buckets import SharedBuckets
from server.console import Failure
from server.forms.conversion import conversion_process as converting
from server.journal.journal import Journal
from server.platform.logs import configure_logs
from server.platform.slow_clients import Patience, patient_protocol
from server.settings import Settings
from server.workers import Shared, Workers

#: What is still under way after so long is cut off: whoever ends a server, a system that restarts for example, waits
#: five seconds. A phone sends again what was not acknowledged.
GRACE_S = 3
#: So many more containers than were freed start a search for garbage, where Python begins with 700: a batch of five
#: hundred documents is ten thousand, all of them in use until it is answered, and was searched a dozen times.
GARBAGE_AFTER = 20_000


class _Server(uvicorn.Server):
    """Ends the feeds that wait before it gives other requests their time; they would take all of it."""

    def __init__(self, config: uvicorn.Config, journal: Journal) -> None:
        super().__init__(config)
        self._journal = journal

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the feeds that wait, then take no more connections and give other requests their time."""
        self._journal.stop_waiting()
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that has the port; raises `Failure` where it is taken or is not ours to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Failure(f"Can't listen on {host}, port {port}: {reason}.") from None


def require_workers_possible(settings: Settings) -> None:
    """Raise `Failure` where so many processes can't serve one database."""
    if settings.workers > 1 and make_url(settings.database_url).get_backend_name() == "sqlite":
        raise Failure(
            f"{settings.workers} workers need PostgreSQL: SQLite is written by one process. Serve with one worker, or "
            "name a PostgreSQL in NUONG_DATABASE_URL."
        )


def serve_app(settings: Settings, listener: socket.socket) -> None:
    """Serve on `listener`, with as many processes as the settings say, until told to stop.

    Requests under way are given some seconds then.
    """
    if settings.workers == 1:
        _serve(settings, listener, None)
        return
    configure_logs(settings.log_level)
    with tempfile.TemporaryDirectory(prefix="nuong-counters-") as counters:
        shared = Shared(SharedBuckets(), Path(counters))
        Workers(settings.workers, lambda: _serve(settings, listener, shared)).run()


def _serve(settings: Settings, listener: socket.socket, shared: Shared | None) -> None:
    configure_logs(settings.log_level)
    converting.prepare("server.cli")
    app = create_app(settings, shared=shared)
    # Modules, routes and schemas stay for as long as the process; looking through them again and again for garbage
    # took a quarter of the time of a large batch.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=patient_protocol(Patience(settings.head_timeout_s, settings.body_timeout_s)),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or "",
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config, app.state["journal"]).run(sockets=[listener])
