"""A token or a password is shown to nobody but the peer it is for, and never where everybody can read along."""

import httpx
import pytest

from server.peers.background import parts_of
from server.peers.connections import Signing
from server.peers.failures import PeerFailed
from server.peers.model import Peer
from server.peers.schemas import checked_way
from server.settings import Settings
from tests.builders import Client, SignedIn, grant, person_signed_in, problem
from tests.server.peers_world import add_peer

OURS = "http://couchdb:5984"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"couchdb_url": OURS + "/"})


async def chief(client: Client) -> SignedIn:
    return await person_signed_in(client, "chief", grant("administrator", "*", "11"))


async def added(client: Client, by: SignedIn, **fields: object) -> httpx.Response:
    return await client.post("/api/peers", json={"name": "couchdb", **fields}, headers=by.headers)


async def test_an_administrators_token_of_our_couchdb_is_shown_to_no_other_peer(client: Client) -> None:
    by = await chief(client)
    for url in ("https://couchdb.example.vn", "http://couchdb:5985", "http://couchdb:5984/db"):
        problem(await added(client, by, url=url, auth="token"), 400, "invalid_request")
    assert (await added(client, by, url=OURS, auth="token")).status_code == 201


async def test_the_screen_is_told_which_address_takes_tokens(client: Client) -> None:
    by = await chief(client)
    assert (await client.get("/api/peers", headers=by.headers)).json()["token_url"] == OURS + "/"


@pytest.mark.parametrize(("url", "is_ours"), [(OURS, True), ("https://couchdb.example.vn", False)])
async def test_a_peer_that_was_given_tokens_before_gets_none_unless_it_is_ours(
    client: Client, url: str, is_ours: bool
) -> None:
    peer: Peer = await add_peer(client.app, url, auth="token")
    signing = Signing(parts_of(client.app), peer)
    if is_ours:
        assert (await signing.headers())["Authorization"].startswith("Bearer ")
        return
    with pytest.raises(PeerFailed) as failed:
        await signing.headers()
    assert failed.value.trouble.code == "sign_in"


@pytest.mark.parametrize(
    ("url", "is_sheltered"),
    [
        ("https://khaosat.example.vn/db", True),
        ("http://khaosat.example.vn/db", False),
        ("http://203.162.0.11/db", False),
        ("http://[2001:ee0::1]/db", False),
        ("http://192.168.1.20:8000/db", True),
        ("http://100.64.7.7/db", True),
        ("http://[fd00::1]:8000/db", True),
        ("http://127.0.0.1:8000/db", True),
        ("http://localhost:8000/db", True),
        ("http://couchdb:5984", True),
        ("http://tram-sinchai.local/db", True),
    ],
)
async def test_a_password_goes_unencrypted_only_where_the_network_is_ones_own(
    client: Client, url: str, is_sheltered: bool
) -> None:
    assert checked_way(url, has_password=False) == url
    if is_sheltered:
        assert checked_way(url, has_password=True) == url
    else:
        with pytest.raises(ValueError, match="https"):
            checked_way(url, has_password=True)
        by = await chief(client)
        fields = {"url": url, "auth": "password", "username": "hub", "password": "long enough"}
        problem(await added(client, by, **fields), 400, "invalid_request")
