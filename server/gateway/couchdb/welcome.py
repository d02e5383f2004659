"""`GET /db/`, open to everyone, and the names of the databases that one sees."""

from importlib.metadata import version

from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call

#: The version of CouchDB whose replication protocol this is: clients look at it to choose their requests.
SPOKEN = "3.5.0"
#: Read once: replicas ask for this with every batch, and the version stands in a file.
VENDOR = {"name": "Nương", "version": version("nuong")}


async def welcome(call: Call) -> Answer:
    """Say what answers here: clients ask this before they have signed in."""
    return answer({"couchdb": "Welcome", "version": SPOKEN, "uuid": call.server_id, "features": [], "vendor": VENDOR})


async def all_dbs(call: Call) -> Answer:
    """List the databases that the caller sees."""
    return answer(await call.parts.databases.visible(call.person))
