"""The services of replication, and connections to a peer: its HTTP client and authentication."""

import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import httpx

from server.areas.areas import Areas
from server.auth.keys import KeyRing
from server.ingest.peer_ingest import STATEMENTS, PeerIngest
from server.journal.journal import Journal
from server.journal.store.statements import Statements
from server.media.files import MediaFiles
from server.media.uploads import Caps, Uploads
from server.peers.book import PeerBook
from server.peers.failures import PeerFailed
from server.peers.model import Peer
from server.peers.remote import Remote
from server.peers.service_token import LIFETIME, may_be_shown_to, service_token
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings

MAX_CONNECTIONS = 250


def open_client(peer: Peer) -> httpx.AsyncClient:
    """Return a client whose base is the peer's address; nothing of this machine's environment goes with it."""
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
    return httpx.AsyncClient(base_url=peer.url + "/", limits=limits, trust_env=False, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    """Return who is believed to vouch for a peer; reading the list takes longer than a small exchange."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class ReplicationParts:
    """The parts of one server that replication needs."""

    storage: Storage
    journal: Journal
    areas: Areas
    keys: KeyRing
    clock: Clock
    book: PeerBook
    ingest: PeerIngest
    server_id: str
    settings: Settings
    open_client: Callable[[Peer], httpx.AsyncClient] = open_client

    @property
    def sql(self) -> Statements:
        """Return the journal's statements for this store."""
        return STATEMENTS[self.storage.is_postgresql]

    @property
    def media(self) -> MediaFiles:
        """Return this server's files."""
        return MediaFiles(self.settings.media_dir)

    @property
    def uploads(self) -> Uploads:
        """Return the uploads of this server, in which a peer's are kept apart like a person's."""
        caps = Caps(self.settings.media_bytes, self.settings.disk_reserve_bytes)
        return Uploads(self.storage, self.media, self.clock, caps)


@dataclass(slots=True)
class Signing:
    """Says at a peer who asks: nobody, a name with its password, or this server by a token of one minute."""

    parts: ReplicationParts
    peer: Peer
    _headers: Mapping[str, str] | None = None
    _made_at: datetime | None = field(default=None)

    async def headers(self) -> Mapping[str, str]:
        """Return the headers of the next request."""
        now = self.parts.clock()
        # Half a minute is left to a token when it leaves.
        if self._headers is None or self._made_at is None or not (now - LIFETIME / 2 < self._made_at <= now):
            self._headers, self._made_at = await self._made(), now
        return self._headers

    async def _made(self) -> Mapping[str, str]:
        if self.peer.auth == "token":
            if not may_be_shown_to(self.peer.url, self.parts.settings.couchdb_url):
                raise PeerFailed("sign_in", "tokens are for the CouchDB of NUONG_COUCHDB_URL alone")
            return {"Authorization": f"Bearer {await service_token(self.parts.keys, self.parts.clock)}"}
        if self.peer.auth == "password":
            password = await self.parts.book.password(self.peer.id) or ""
            said = base64.b64encode(f"{self.peer.username or ''}:{password}".encode()).decode()
            return {"Authorization": f"Basic {said}"}
        return {}


def remote_of(parts: ReplicationParts, peer: Peer, client: httpx.AsyncClient) -> Remote:
    """Return the peer behind `client`."""
    return Remote(client, Signing(parts, peer).headers)
