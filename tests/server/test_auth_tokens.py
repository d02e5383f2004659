"""Tokens: access tokens, rotating refresh tokens, published keys, seals."""

import asyncio
import base64
import json

import jwt
import pytest
from litestar import Litestar

from server.auth.keys import KeyRing, WrongSecret, key_ring
from server.auth.sessions import Sessions
from server.auth.tokens import verify_seal
from server.errors import Problem
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import SIN_CHAI, Client, DeviceKey, SignedIn, claims_of, grant, person_signed_in, problem, sign_in
from tests.conftest import StandingClock

pytestmark = pytest.mark.by_turns

PAYLOAD = b'{"enrolment":"e","push":[["agri-03226-2025","d","1-a"]]}'


async def renewed(client: Client, token: str) -> str:
    answer = await client.post("/api/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


async def refused(client: Client, token: str) -> None:
    problem(await client.post("/api/auth/refresh", json={"refresh_token": token}), 401, "not_signed_in")


async def test_an_access_token_is_good_for_fifteen_minutes(client: Client, clock: StandingClock) -> None:
    worker = await person_signed_in(client, "lan", grant("field_worker"))
    clock.move(minutes=14, seconds=59)
    assert (await client.get("/api/me", headers=worker.headers)).status_code == 200
    clock.move(seconds=1)
    answer = await client.get("/api/me", headers=worker.headers)
    assert problem(answer, 401, "not_signed_in") == {"reason": "expired"}
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_published_keys_verify_a_token(client: Client) -> None:
    worker = await person_signed_in(client, "lan")
    published = (await client.get("/.well-known/jwks.json")).json()
    kid = jwt.get_unverified_header(worker.access)["kid"]
    key = next(key for key in jwt.PyJWKSet.from_dict(published).keys if key.key_id == kid)
    claims = jwt.decode(worker.access, key, audience="nuong", options={"verify_exp": False, "verify_iat": False})
    assert claims["sub"] == worker.person
    assert set(published["keys"][0]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


async def test_tokens_of_a_rotated_key_stay_good_and_new_ones_carry_the_new_key(client: Client, app: Litestar) -> None:
    worker = await person_signed_in(client, "lan")
    kid = await app.state["keys"].rotate()
    assert (await client.get("/api/me", headers=worker.headers)).status_code == 200
    assert jwt.get_unverified_header((await sign_in(client, "lan")).access)["kid"] == kid
    assert len((await client.get("/.well-known/jwks.json")).json()["keys"]) == 2


async def test_a_key_leaves_the_published_ones_when_no_refresh_token_of_its_time_is_left(
    client: Client, app: Litestar, clock: StandingClock
) -> None:
    await app.state["keys"].rotate()
    clock.move(days=91)
    assert len((await client.get("/.well-known/jwks.json")).json()["keys"]) == 1


async def test_two_processes_on_one_database_sign_with_one_key(
    client: Client, storage: Storage, settings: Settings, clock: StandingClock, app: Litestar
) -> None:
    here: KeyRing = app.state["keys"]
    there = key_ring(settings, storage, clock)
    assert (await here.signing()).kid == (await there.signing()).kid
    kid = await there.rotate()
    clock.move(seconds=31)
    assert (await here.signing()).kid == kid


async def test_keys_sealed_under_another_secret_are_named_as_the_reason(
    client: Client, storage: Storage, settings: Settings, clock: StandingClock
) -> None:
    other = Settings(**settings.model_dump() | {"secret": "another secret that is also long enough, 48 chars"})
    with pytest.raises(WrongSecret, match="NUONG_SECRET"):
        await key_ring(other, storage, clock).signing()


def tampered(signed_in: SignedIn, **changes: object) -> str:
    header, _, signature = signed_in.access.split(".")
    claims = json.dumps(claims_of(signed_in.access) | changes).encode()
    return ".".join((header, base64.urlsafe_b64encode(claims).decode().rstrip("="), signature))


async def test_tampered_foreign_and_unsigned_tokens_are_refused(client: Client) -> None:
    worker = await person_signed_in(client, "lan")
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    claims = claims_of(worker.access)
    kid = jwt.get_unverified_header(worker.access)["kid"]
    public = (await client.get("/.well-known/jwks.json")).json()["keys"][0]["x"]
    bad = [
        tampered(worker, sub=admin.person),
        jwt.encode(claims, DeviceKey().private, algorithm="ES256", headers={"kid": kid}),
        jwt.encode(claims, DeviceKey().private, algorithm="ES256", headers={"kid": "unknown"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": kid}),
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": kid}),
        "not.a.token",
        "\x7f",
        worker.refresh,
    ]
    for token in bad:
        answer = await client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        assert problem(answer, 401, "not_signed_in") == {"reason": "unknown"}
    for header in ({}, {"Authorization": "Basic bGFuOmxhbg=="}, {"Authorization": "Bearer"}):
        answer = await client.get("/api/me", headers=header)
        assert problem(answer, 401, "not_signed_in") == {"reason": "missing"}


async def test_a_token_for_another_part_is_no_access_token(client: Client, app: Litestar) -> None:
    worker = await person_signed_in(client, "lan")
    key = await app.state["keys"].signing()
    claims = claims_of(worker.access) | {"aud": "couchdb"}
    token = jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid})
    problem(await client.get("/api/me", headers={"Authorization": f"Bearer {token}"}), 401, "not_signed_in")


async def test_a_refresh_token_stays_valid_until_its_successor_is_used(client: Client) -> None:
    first = (await person_signed_in(client, "lan")).refresh
    await renewed(client, first)  # The answer is lost on the way.
    second = await renewed(client, first)
    await renewed(client, second)
    await refused(client, first)


async def test_showing_a_dead_refresh_token_revokes_the_whole_family(client: Client) -> None:
    first = (await person_signed_in(client, "lan")).refresh
    second = await renewed(client, first)
    third = await renewed(client, second)
    await refused(client, first)
    await refused(client, second)
    await refused(client, third)


async def test_of_two_successors_of_one_token_only_one_can_be_used(client: Client) -> None:
    first = (await person_signed_in(client, "lan")).refresh
    owner, thief = await renewed(client, first), await renewed(client, first)
    following = await renewed(client, owner)
    await refused(client, thief)
    await refused(client, following)


async def test_renewals_at_the_same_moment_all_get_an_answer(client: Client) -> None:
    first = (await person_signed_in(client, "lan")).refresh
    successors = await asyncio.gather(*(renewed(client, first) for _ in range(4)))
    assert len(set(successors)) == 4
    asked = [client.post("/api/auth/refresh", json={"refresh_token": token}) for token in successors]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    # The one that was first may hear that the others' tokens have ended its sign-in too.
    assert codes in ([200, 401, 401, 401], [401] * 4)


async def test_a_stolen_family_leaves_other_sign_ins_alone(client: Client) -> None:
    first = (await person_signed_in(client, "lan")).refresh
    elsewhere = (await sign_in(client, "lan")).refresh
    await renewed(client, await renewed(client, first))
    await refused(client, first)
    await renewed(client, elsewhere)


async def test_a_refresh_token_runs_out(client: Client, clock: StandingClock) -> None:
    first = (await person_signed_in(client, "lan")).refresh
    clock.move(days=89)
    second = await renewed(client, first)
    clock.move(days=2)
    await refused(client, first)
    await renewed(client, second)


async def test_an_expired_access_token_beside_its_refresh_token_is_accepted(
    client: Client, app: Litestar, clock: StandingClock
) -> None:
    key = DeviceKey()
    worker = await person_signed_in(client, "lan", grant("field_worker"), key=key)
    clock.move(days=3)
    sessions: Sessions = app.state["sessions"]
    principal, tokens = await sessions.accept_expired(worker.access, worker.refresh)
    assert (principal.person, principal.enrolment) == (worker.person, key.enrolment)
    assert [held.unit for held in principal.grants] == [SIN_CHAI]
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    assert (await client.get("/api/me", headers=headers)).status_code == 200
    again, _ = await sessions.accept_expired(worker.access, worker.refresh)
    assert again == principal


async def test_an_expired_access_token_beside_a_strange_refresh_token_is_refused(
    client: Client, app: Litestar, clock: StandingClock
) -> None:
    worker = await person_signed_in(client, "lan")
    other = await person_signed_in(client, "minh")
    clock.move(days=3)
    for token in (other.refresh, "none of ours"):
        with pytest.raises(Problem) as refusal:
            await app.state["sessions"].accept_expired(worker.access, token)
        assert refusal.value.code == "not_signed_in"
    assert await renewed(client, other.refresh)


def test_a_seal_holds_for_exactly_its_payload_and_key() -> None:
    key = DeviceKey()
    seal = key.seal(PAYLOAD)
    assert verify_seal(key.jwk, seal, PAYLOAD)
    assert not verify_seal(key.jwk, seal, PAYLOAD + b" ")
    assert not verify_seal(DeviceKey().jwk, seal, PAYLOAD)


def test_a_forged_seal_is_no_seal() -> None:
    key = DeviceKey()
    header, _, signature = key.seal(PAYLOAD).split(".")
    attached = jwt.api_jws.PyJWS().encode(PAYLOAD, key.private, algorithm="ES256")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","b64":false,"crit":["b64"]}').decode().rstrip("=")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    forged = ["", "..", f"{header}..", f"{header}..{flipped}", f"{unsigned}..", f"{unsigned}..{signature}", attached]
    assert [seal for seal in forged if verify_seal(key.jwk, seal, PAYLOAD)] == []
    assert not verify_seal({"kty": "EC"}, key.seal(PAYLOAD), PAYLOAD)
