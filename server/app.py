"""The app: every stage's routes around one storage and one journal.

`create_app` takes what a test or a simulation wants to set (storage, clock) and builds the rest. Handlers name what
they need as dependencies: `PARTS`, and `principal` (who asks; refused with 401 where nobody is signed in).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide

from server.areas.areas import Areas
from server.auth.authentication import provide_principal
from server.auth.keys import key_ring
from server.auth.passwords import Passwords
from server.auth.rate_limit import RateLimiter
from server.auth.routes import router as auth_router
from server.auth.sessions import Sessions
from server.background import following
from server.desk.conflicts.routes import router as conflicts_router
from server.desk.duplicates.routes import router as pairs_router
from server.desk.publishing.routes import router as publishing_router
from server.desk.quarantine.routes import router as quarantine_router
from server.desk.review.routes import router as review_router
from server.forms.library import FormLibrary
from server.forms.routes import contents_router
from server.forms.routes import router as forms_router
from server.forms.versions.trial_routes import router as trials_router
from server.gateway.couchdb.caller import Recognition
from server.gateway.couchdb.door import couchdb_door
from server.gateway.couchdb.root_paths import couchdb_elsewhere
from server.gateway.sync.routes import router as gateway_router
from server.ingest.waiting_edits import judge_edits_of_waiting_parents
from server.journal.journal import Journal
from server.maintenance.background import watching_media
from server.maintenance.media_watch import MediaFolder
from server.media.files import MediaFiles
from server.media.routes import router as media_router
from server.peers.background import peering
from server.peers.book import PeerBook
from server.peers.hub import HubState, only_the_province_writes
from server.peers.routes import router as peers_router
from server.peers.secrets import PeerSecrets
from server.platform.api_description.routes import OPENAPI
from server.platform.api_description.routes import routes as description_routes
from server.platform.app_files import built_app
from server.platform.clock import Clock, system_clock
from server.platform.content_coding import CodingMiddleware
from server.platform.db.engine import Storage
from server.platform.db.server_identity import identify
from server.platform.metrics import Metrics
from server.platform.options import name_all_methods
from server.platform.problems import EXCEPTION_HANDLERS
from server.platform.request import StrictRequest
from server.platform.request_envelope import RequestEnvelope
from server.probes import routes as ops_routes
from server.projections.routes import router as following_router
from server.publish.layout_book import Layouts
from server.publish.routes import router as publish_router
from server.settings import Settings
from server.workers import Shared

#: What handlers may name as dependencies, besides `principal`; all of it stands in the app's state.
PARTS = (
    "settings",
    "storage",
    "clock",
    "journal",
    "areas",
    "library",
    "layouts",
    "keys",
    "passwords",
    "sessions",
    "pace",
    "recognition",
    "metrics",
    "media_folder",
    "peer_book",
    "hub_state",
    "server_id",
    "epoch",
    "runner",
)

#: Each stage's door; a stage adds its `router` here.
ROUTERS: tuple[Router, ...] = (
    auth_router,
    forms_router,
    contents_router,
    publishing_router,
    trials_router,
    gateway_router,
    media_router,
    review_router,
    conflicts_router,
    quarantine_router,
    pairs_router,
    publish_router,
    following_router,
    peers_router,
)

#: What runs beside the requests: each is entered at start-up, in order, and left at shutdown.
Background = Callable[[Litestar], AbstractAsyncContextManager[None]]
BACKGROUND: tuple[Background, ...] = (following, peering, watching_media)


def create_app(
    settings: Settings,
    storage: Storage | None = None,
    clock: Clock = system_clock,
    passwords: Passwords | None = None,
    *,
    shared: Shared | None = None,
) -> Litestar:
    """Return the app over a migrated database; a storage that was handed in stays open when the app stops.

    `shared` is what other processes that serve at the same port have as well.
    """
    app = unfurnished(request_bytes=settings.request_bytes)
    furnish(app, settings, storage, clock, passwords, shared=shared)
    return app


def unfurnished(*, request_bytes: int) -> Litestar:
    """Return all routes without anything to answer from; `furnish` gives them that before the app starts.

    Reading the signatures of all handlers is what takes long here: a tenth of a second, which a process pays once.
    Nothing of a request or of what furnishes the app stays in it, so after a stop it can be furnished anew.
    """

    def part(name: str) -> Provide:
        return Provide(lambda: app.state[name], sync_to_thread=False)

    app = Litestar(
        route_handlers=[*ROUTERS, couchdb_door, couchdb_elsewhere, *ops_routes, *description_routes, built_app],
        dependencies={
            **{name: part(name) for name in PARTS},
            "principal": Provide(provide_principal),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=StrictRequest,
        guards=[only_the_province_writes],
        lifespan=[_prepared, *BACKGROUND],
        before_send=[name_all_methods],
        openapi_config=OPENAPI,
        # A handler that compresses its own answers says so with `own_encoding=True`.
        compression_config=CompressionConfig(
            backend="brotli",
            brotli_quality=4,
            brotli_gzip_fallback=True,
            minimum_size=400,
            exclude_opt_key="own_encoding",
            middleware_class=CodingMiddleware,
        ),
        request_max_body_size=request_bytes,
        logging_config=None,
    )
    app.asgi_handler = RequestEnvelope(app.asgi_handler)
    return app


def furnish(
    app: Litestar,
    settings: Settings,
    storage: Storage | None = None,
    clock: Clock = system_clock,
    passwords: Passwords | None = None,
    *,
    shared: Shared | None = None,
) -> None:
    """Give a stopped app everything that it answers from, as `create_app` says; what it had before is forgotten."""
    store = storage or Storage(settings.database_url, pool_size=settings.database_pool)
    journal = Journal(store, clock)
    library = FormLibrary(store)
    keys = key_ring(settings, store, clock)
    passwords = passwords or Passwords()
    sessions = Sessions(store, keys, passwords, clock, settings)
    buckets = None if shared is None else shared.buckets
    pace = RateLimiter(clock, settings.login_burst, settings.login_per_minute, buckets)
    app.state = State(
        {
            "settings": settings,
            "storage": store,
            "closes_storage": storage is None,
            "clock": clock,
            "journal": journal,
            "areas": Areas(store, journal, clock),
            "library": library,
            "layouts": Layouts(library),
            "keys": keys,
            "passwords": passwords,
            "sessions": sessions,
            "pace": pace,
            "recognition": Recognition(store, sessions, pace, settings.public_url),
            "metrics": Metrics(None if shared is None else shared.counters),
            "media_folder": MediaFolder(store, MediaFiles(settings.media_dir)),
            "peer_book": PeerBook(store, clock, PeerSecrets(settings)),
            "hub_state": HubState(store, clock),
        }
    )


@asynccontextmanager
async def _prepared(app: Litestar) -> AsyncIterator[None]:
    state = app.state
    try:
        who = await identify(state.storage)
        state.server_id, state.epoch = who.server, who.epoch
        await state["keys"].signing()
        await state.areas.prepare()
        await state.journal.let_in_what_waits()
        await judge_edits_of_waiting_parents(state.storage, state.journal, state.library)
        async with state.journal.listening():
            yield
    finally:
        if state.closes_storage:
            await state.storage.close()
