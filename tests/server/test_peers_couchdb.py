"""Replication with a real CouchDB where `NUONG_TEST_COUCHDB_URL` names one, and the tokens that it would be shown.

The address holds its administrator's name and password: `http://admin:password@127.0.0.1:5984`.
"""

import os
import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from server.auth.keys import KeyRing
from server.peers.service_token import couchdb_key_lines, service_token
from server.settings import Settings
from tests.builders import Client, problem
from tests.conftest import StandingClock
from tests.server.peers_world import add_peer, synced
from tests.server.sync_door import DATABASE, a_phone, save, with_form

COUCHDB = os.environ.get("NUONG_TEST_COUCHDB_URL")


async def test_a_service_token_is_what_couchdbs_jwt_handler_reads_and_ends_in_a_minute(
    client: Client, clock: StandingClock
) -> None:
    keys: KeyRing = client.app.state["keys"]
    token = await service_token(keys, clock)
    (line,) = await couchdb_key_lines(keys)
    name, _, pem = line.partition(" = ")

    assert name == f"ec:{jwt.get_unverified_header(token)['kid']}"
    claims = jwt.decode(
        token,
        pem.replace("\\n", "\n"),
        algorithms=["ES256"],
        audience="couchdb",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == "nuong"
    assert claims["_couchdb.roles"] == ["_admin", "nuong"]
    assert claims["exp"] == int((clock() + timedelta(minutes=1)).timestamp())


async def test_a_service_token_opens_no_door_of_this_server(client: Client, clock: StandingClock) -> None:
    token = await service_token(client.app.state["keys"], clock)
    refused = await client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    problem(refused, 401, "not_signed_in")


def test_an_address_of_couchdb_holds_no_password() -> None:
    with pytest.raises(ValueError, match="without a name"):
        Settings(couchdb_url="http://admin:secret@couchdb:5984")
    assert Settings(couchdb_url="http://couchdb:5984").couchdb_url == "http://couchdb:5984"


@pytest.mark.skipif(COUCHDB is None, reason="NUONG_TEST_COUCHDB_URL names no CouchDB to replicate with")
async def test_records_go_to_a_couchdb_and_come_back_into_a_scope(client: Client) -> None:
    assert COUCHDB is not None
    parts = urlsplit(COUCHDB)
    url = f"{parts.scheme}://{parts.hostname}:{parts.port or 5984}"
    assert parts.username
    assert parts.password
    async with httpx.AsyncClient(base_url=url, auth=(parts.username, parts.password)) as couchdb:
        await couchdb.delete(f"/{DATABASE}")
        await with_form(client)
        phone = await a_phone(client)
        record = save(phone)
        await phone.sync()
        name = f"couchdb-{uuid.uuid4().hex[:8]}"
        account = {"auth": "password", "username": parts.username, "password": parts.password}
        peer = await add_peer(client.app, url, name=name, **account)

        await synced(client.app, peer)
        found = (await couchdb.get(f"/{DATABASE}/{record['_id']}", params={"revs": "true"})).json()
        assert found["_rev"] == record["_rev"]
        security = (await couchdb.get(f"/{DATABASE}/_security")).json()
        assert security["members"]["roles"] == ["nuong", DATABASE]

        changed = {**found, "answers": {**found["answers"], "trees": "77"}}
        changed.pop("_revisions")
        there = (await couchdb.put(f"/{DATABASE}/{record['_id']}", json=changed)).json()
        await synced(client.app, peer)
        here = await client.app.state["journal"].document(DATABASE, record["_id"])
        assert (here.rev, here.person) == (there["rev"], f"peer:{name}")
