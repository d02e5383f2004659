"""CouchDB's own names at the root of the host, where nothing of this server's is: each is a 404 in CouchDB's form.

CouchDB's replicator asks the host's root for a session before anything else, whatever path its source has. Only a 404
tells it that there are none, and it goes on with Basic authentication; a 405 or a page of the app ends the replication.
"""

from typing import Any

from litestar import Request, asgi
from litestar.types import Receive, Scope, Send

from server.gateway.couchdb.door import MOUNT, failure, send_answer
from server.gateway.couchdb.refusals import missing

#: What clients of CouchDB ask a server for besides its databases.
NAMES = (
    "_active_tasks",
    "_all_dbs",
    "_cluster_setup",
    "_config",
    "_db_updates",
    "_dbs_info",
    "_membership",
    "_node",
    "_reload_query_servers",
    "_replicate",
    "_replicator",
    "_reshard",
    "_scheduler",
    "_session",
    "_stats",
    "_system",
    "_up",
    "_users",
    "_utils",
    "_uuids",
)


@asgi([f"/{name}" for name in NAMES], is_mount=True, copy_scope=True, own_encoding=True)
async def couchdb_elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that CouchDB's API has its own path here, whatever the method."""
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    await send_answer(request, failure(request, missing(f"CouchDB's API is under {MOUNT}/ here.")), send)
