"""Bodies that no phone of ours sends: each is refused with its own problem, and nothing is stored."""

import gzip
import hashlib
import json
import zlib
from collections.abc import AsyncIterator

import pytest

from tests.builders import Client, problem
from tests.server.sync_door import DATABASE, a_phone, answer_of, packed, post_raw, save, with_form

pytestmark = pytest.mark.one_store("bodies are refused, or read, before anything is looked up")
MEGABYTE = 1_000_000


async def test_a_gzip_bomb_has_its_own_problem(client: Client) -> None:
    bomb = gzip.compress(b" " * (11 * MEGABYTE))
    assert len(bomb) < 20_000
    problem(await post_raw(client, bomb), 413, "body_bomb")


async def test_eleven_megabytes_are_too_large_plain_or_inflated(client: Client) -> None:
    noise = _noise(11 * MEGABYTE)
    assert problem(await post_raw(client, noise, encoding=None), 413, "too_large")["limit"] == 10 * MEGABYTE
    body = gzip.compress(noise, 1)
    assert len(body) < 10 * MEGABYTE
    problem(await post_raw(client, body), 413, "too_large")


async def test_a_body_without_a_length_is_counted_as_it_arrives(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield _noise(MEGABYTE)

    problem(await client.post("/api/sync", content=pieces()), 413, "too_large")


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b'{"protocol":1', None, 400, "malformed_json"),
        (b"", None, 400, "malformed_json"),
        (b'{"protocol":1,"protocol":1}', None, 400, "malformed_json"),
        (b'{"protocol":NaN}', None, 400, "malformed_json"),
        (b'{"enrolment":"\\ud800"}', None, 400, "malformed_json"),
        (b'{"__proto__":{}}', None, 400, "malformed_json"),
        (b"[" * 100_000, None, 400, "malformed_json"),
        (b"\xff\xfe", None, 400, "malformed_json"),
        (b"[]", None, 400, "envelope"),
        (b"null", None, 400, "envelope"),
        (gzip.compress(b"{}" * 5000, mtime=0)[:40], "gzip", 400, "body_truncated"),
        (b"{}", "gzip", 400, "body_not_gzip"),
        (gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0), "gzip", 400, "malformed_json"),
        (gzip.compress(b"{}", mtime=0) + gzip.compress(b"", mtime=0), "x-gzip", 400, "envelope"),
        (gzip.compress(b"{}", mtime=0) + b"{}", "gzip", 400, "body_not_gzip"),
        (gzip.compress(b"", mtime=0) * 1001, "gzip", 400, "body_not_gzip"),
        (gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0)[:12], "gzip", 400, "body_truncated"),
        (zlib.compress(b"{}"), "deflate", 415, "unsupported_encoding"),
        (b"{}", "br", 415, "unsupported_encoding"),
    ],
)
async def test_a_hostile_body_is_one_clear_problem(
    client: Client, body: bytes, encoding: str | None, status: int, code: str
) -> None:
    problem(await post_raw(client, body, encoding=encoding), status, code)


async def test_a_plain_body_is_taken_like_a_gzipped_one(client: Client) -> None:
    phone = await a_phone(client)
    body = json.dumps(phone.request()).encode()
    assert answer_of(await post_raw(client, body, phone.access_token, encoding=None)).carry == ["catalog", DATABASE]


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
async def test_the_answer_comes_in_the_coding_that_was_asked_for(client: Client, coding: str) -> None:
    phone = await a_phone(client)
    headers = {"Accept-Encoding": coding}
    response = await post_raw(client, packed(phone.request()), phone.access_token, **headers)
    assert response.headers.get("content-encoding", "identity") == coding
    assert answer_of(response).carry == ["catalog", DATABASE]


async def test_a_body_cut_off_in_the_middle_stores_nothing(client: Client) -> None:
    await with_form(client)
    phone = await a_phone(client)
    save(phone)
    body = packed(phone.request())
    problem(await post_raw(client, body[: len(body) // 2], phone.access_token), 400, "body_truncated")
    assert (await client.app.state["journal"].state(DATABASE)).seq == 0


def _noise(count: int) -> bytes:
    """Return text that gzip shortens a little: hexadecimal digits without a pattern."""
    state = b"seed"
    pieces: list[bytes] = []
    while len(pieces) * 128 < count:
        state = hashlib.sha512(state).digest()
        pieces.append(state.hex().encode())
    return b"".join(pieces)[:count]
