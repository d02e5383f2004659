"""The doors of peers: what administrators see and set, and what a hub asks of its province."""

import hashlib
from typing import Any

from litestar import Request, Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody

from server.areas.areas import Areas
from server.auth.audit import note
from server.auth.authorise import administers_everything, allowed, require
from server.auth.principal import Principal
from server.errors import Problem
from server.gateway.couchdb.caller import COOKIE_HANDLER, Recognition
from server.gateway.couchdb.refusals import Refusal
from server.journal.journal import Journal
from server.peers.book import NewPeer, PeerBook
from server.peers.directory import content, directory
from server.peers.hub import HubState
from server.peers.media_door import media_router
from server.peers.model import Peer
from server.peers.overview import PeerOverview, PeerOverviews
from server.peers.schemas import (
    ContentAnswer,
    DirectoryAnswer,
    FileLeftAnswer,
    LeftOutAnswer,
    NewPeerBody,
    PeerAnswer,
    PeersAnswer,
    StatusAnswer,
)
from server.peers.service_token import may_be_shown_to
from server.platform.api_description.declarations import raises, signs_in
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings
from sync.contract.authority import PEERS_MANAGED_BY
from sync.revisions.canonical import canonical


def _manage(principal: Principal) -> None:
    """Raise unless they are those whom the contract lets manage peers."""
    require(principal, "manage_areas")
    if PEERS_MANAGED_BY == "everything" and not administers_everything(principal):
        raise Problem("not_allowed", action="manage_peers")


def _sees(principal: Principal, peer: Peer) -> bool:
    """Whether they may see how a peer stands, and ask for an exchange.

    At a hub, which cannot sign in who administers everything (docs/decisions/0009), those who administer all that goes
    between it and its province.
    """
    if administers_everything(principal):
        return True
    return (
        peer.kind == "province"
        and bool(peer.scopes)
        and all(allowed(principal, "manage_areas", scope) for scope in peer.scopes)
    )


@get()
@raises("not_allowed")
async def list_peers(
    principal: NamedDependency[Principal],
    peer_book: NamedDependency[PeerBook],
    hub_state: NamedDependency[HubState],
    overviews: NamedDependency[PeerOverviews],
    settings: NamedDependency[Settings],
) -> PeersAnswer:
    """List the peers, how far each database is, and what is the matter."""
    seen = [peer for peer in await peer_book.peers() if _sees(principal, peer)]
    if not seen:
        _manage(principal)
    province = await hub_state.province()
    return PeersAnswer(
        peers=[_answer(peer, await overviews.of(peer)) for peer in seen],
        province=province.removesuffix("/db") if province else None,
        token_url=settings.couchdb_url,
        may_manage=administers_everything(principal),
    )


@post()
@raises("not_allowed", "peer_taken")
async def add_peer(
    *,
    data: JSONBody[NewPeerBody],
    principal: NamedDependency[Principal],
    peer_book: NamedDependency[PeerBook],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
    overviews: NamedDependency[PeerOverviews],
) -> PeerAnswer:
    """Add a peer; replication begins by itself."""
    _manage(principal)
    if data.auth == "token" and not may_be_shown_to(data.url, settings.couchdb_url):
        raise Problem("invalid_request", "tokens are for the CouchDB that the settings name", field="auth")
    password = data.password.get_secret_value() if data.password else None
    if data.auth == "password" and not (data.username and password):
        raise Problem("invalid_request", "a name and a password belong together", field="password")
    fields = data.model_dump(exclude={"password", "scopes"})
    peer = await peer_book.add(NewPeer(**fields, scopes=tuple(data.scopes), password=password))
    async with storage.write() as connection:
        await note(connection, clock, principal.person, "peer_added", peer.id, name=peer.name, url=peer.url)
    return _answer(peer, await overviews.of(peer))


@post("/{peer:str}/sync", status_code=202)
@raises("not_allowed", "not_found")
async def sync_peer(
    peer: FromPath[str],
    principal: NamedDependency[Principal],
    peer_book: NamedDependency[PeerBook],
    overviews: NamedDependency[PeerOverviews],
) -> PeerAnswer:
    """Ask for an exchange now, without waiting for the next try."""
    if not any(_sees(principal, one) for one in await peer_book.peers() if peer in (one.id, one.name)):
        _manage(principal)
    found = await peer_book.find(peer)
    await peer_book.ask_sync(found.id)
    return _answer(found, await overviews.of(found))


@delete("/{peer:str}")
@raises("not_allowed", "not_found")
async def remove_peer(
    peer: FromPath[str],
    principal: NamedDependency[Principal],
    peer_book: NamedDependency[PeerBook],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
) -> None:
    """Exchange with a peer no longer; what it brought stays."""
    _manage(principal)
    found = await peer_book.find(peer)
    await peer_book.remove(found.id)
    async with storage.write() as connection:
        await note(connection, clock, principal.person, "peer_removed", found.id, name=found.name)


@signs_in("basic", "bearer")
@raises("not_allowed")
async def provide_hub(request: Request[Any, Any, Any], recognition: NamedDependency[Recognition]) -> Principal:
    """Return the hub that asks, by its account's name and password or token; raise `not_signed_in`, `not_allowed`."""
    try:
        caller = await recognition.caller(request)
    except Refusal:
        caller = None
    # A session's cookie opens `/db` alone.
    if caller is None or caller.handler == COOKIE_HANDLER:
        raise Problem("not_signed_in", reason="wrong")
    if not allowed(caller.principal, "replicate"):
        raise Problem("not_allowed", action="replicate")
    return caller.principal


@get("/directory")
async def tell_directory(
    hub: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    storage: NamedDependency[Storage],
    known: FromQuery[str | None] = None,
) -> DirectoryAnswer:
    """Tell a hub the people, grants, public keys, places and forms of its scopes, unless it has them already."""
    atlas = await areas.atlas()
    async with storage.read() as connection:
        found = await directory(connection, atlas, hub)
    fingerprint = hashlib.sha256(canonical(found)).hexdigest()
    return DirectoryAnswer(fingerprint=fingerprint, directory=None if fingerprint == known else found)


@get("/contents/{sha256:str}")
@raises("not_found")
async def tell_content(
    sha256: FromPath[str], hub: NamedDependency[Principal], storage: NamedDependency[Storage]
) -> ContentAnswer:
    """Give a hub a content of its forms."""
    async with storage.read() as connection:
        found = await content(connection, sha256, hub)
    if found is None:
        raise Problem("not_found")
    return ContentAnswer(**found)


def _answer(peer: Peer, overview: PeerOverview) -> PeerAnswer:
    total, left = overview.left_out
    files_total, files = overview.files_left
    return PeerAnswer(
        id=peer.id,
        name=peer.name,
        url=peer.url,
        kind=peer.kind,
        direction=peer.direction,
        mode=peer.mode,
        auth=peer.auth,
        username=peer.username,
        scopes=list(peer.scopes),
        behind=overview.behind,
        held=overview.held,
        statuses=[
            StatusAnswer(
                database=one.database,
                direction=one.direction,
                last_seq=one.last_seq,
                behind=one.behind,
                documents=one.documents,
                trouble=one.trouble.code if one.trouble else None,
                told=one.trouble.told if one.trouble else None,
                since=one.since,
                checked_at=one.checked_at,
            )
            for one in overview.statuses
        ],
        left_out_count=total,
        left_out=[
            LeftOutAnswer(database=one.database, id=one.doc_id, rev=one.rev, direction=one.direction, reason=one.reason)
            for one in left
        ],
        files_waiting=overview.files_waiting,
        files_missing=overview.files_missing,
        files_left_count=files_total,
        files_left=[
            FileLeftAnswer(
                direction=one.direction,
                database=one.database,
                record=one.record,
                name=one.name,
                sha256=one.sha256,
                reason=one.reason,
                told=one.told,
            )
            for one in files
        ],
    )


async def provide_overviews(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    areas: NamedDependency[Areas],
    clock: NamedDependency[Clock],
    peer_book: NamedDependency[PeerBook],
) -> PeerOverviews:
    """Return what tells how peers stand."""
    return PeerOverviews(storage, journal, areas, clock, peer_book)


_hub_router = Router("/", route_handlers=[tell_directory, tell_content], dependencies={"hub": provide_hub})
_media_router = Router("/", route_handlers=[media_router], dependencies={"principal": provide_hub})

router = Router(
    "/api/peers",
    route_handlers=[list_peers, add_peer, sync_peer, remove_peer, _hub_router, _media_router],
    dependencies={"overviews": Provide(provide_overviews)},
)
