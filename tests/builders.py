"""Small builders that arrange people and devices for the tests of the server."""

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.api_jws import PyJWS
from litestar import Litestar
from litestar.datastructures import State

from server.app import furnish, unfurnished
from server.areas.grants import Grant
from server.auth.jwk import PublicJwk, jwk_of, thumbprint
from server.auth.members import Manager, NewMember
from server.auth.passwords import Passwords
from server.auth.people import Person
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings
from sync.contract.roles import Role
from tests.described import misfit

PASSWORD = "nương rẫy mùa lúa chín"
SIN_CHAI = "03226-2025"
SIN_THAU = "03158-2025"
PROVINCE = "11"
#: Apps that no test uses now, by their limit of a request: reading all routes takes longer than most tests do.
_unfurnished: defaultdict[int, list[Litestar]] = defaultdict(list)


class Client(httpx.AsyncClient):
    """A client of `app` in the test's own event loop, so that a test may also use the app's storage itself.

    Litestar's test client runs the app in a thread with another loop, and one driver connection in two loops crashes.
    """

    def __init__(self, app: Litestar, address: str = "127.0.0.1") -> None:
        self.app = app
        client = (address, 1)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=client)  # type: ignore[arg-type]
        super().__init__(transport=transport, base_url="http://testserver", event_hooks={"response": [_is_described]})


async def _is_described(response: httpx.Response) -> None:
    """Fail the test whose answer is not what the API's description says."""
    if response.request.url.path.startswith("/api/") and response.status_code >= 400:
        await response.aread()
    assert (wrong := misfit(response)) is None, wrong


@contextmanager
def an_app(settings: Settings, storage: Storage, clock: Clock) -> Iterator[Litestar]:
    """Give the app as `create_app` makes it, with `quick_passwords` and nothing of the tests whose routes it uses."""
    spare = _unfurnished[settings.request_bytes]
    app = spare.pop() if spare else unfurnished(request_bytes=settings.request_bytes)
    furnish(app, settings, storage, clock, quick_passwords())
    routes = len(app.routes)
    yield app
    assert len(app.routes) == routes, "a test that adds routes needs an app of its own: later tests would have them"
    app.state = State()
    spare.append(app)


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """Keep `app` started while the block runs, as a server does by the lifespan protocol."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    # A task of its own: pytest enters and leaves fixtures in different tasks, which task groups refuse.
    served = asyncio.create_task(app({"type": "lifespan"}, inbox.get, outbox.put))  # type: ignore[arg-type]
    await inbox.put({"type": "lifespan.startup"})
    said = await outbox.get()
    assert said["type"] == "lifespan.startup.complete", said
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await served


@dataclass(frozen=True)
class DeviceKey:
    """The key of a simulated device."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> PublicJwk:
        return jwk_of(self.private.public_key())

    @property
    def enrolment(self) -> str:
        return thumbprint(self.jwk)

    def seal(self, payload: bytes) -> str:
        """Return the detached JWS of exactly `payload`."""
        return PyJWS().encode(payload, self.private, algorithm="ES256", is_payload_detached=True)


@dataclass(frozen=True)
class SignedIn:
    """What a sign-in answered."""

    answer: dict[str, Any]

    @property
    def access(self) -> str:
        return str(self.answer["access_token"])

    @property
    def refresh(self) -> str:
        return str(self.answer["refresh_token"])

    @property
    def person(self) -> str:
        return str(self.answer["person"]["id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


def quick_passwords() -> Passwords:
    """Return hashing for tests: a real hash costs 20 ms and 19 MiB, which a thousand tests need not pay."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def grant(role: Role, project: str = "agri", unit: str = SIN_CHAI) -> Grant:
    """Return a grant in the commune of Sín Chải."""
    return Grant(role, project, unit)


async def add_person(
    client: Client, username: str, *grants: Grant, password: str = PASSWORD, name: str | None = None
) -> Person:
    """Add a person as the console does."""
    state = client.app.state
    atlas = await state["areas"].atlas()
    manager = Manager(state["storage"], state["passwords"], state["clock"], atlas, principal=None)
    return await manager.add(NewMember(username, name or f"Người {username}", password, grants=tuple(grants)))


async def try_sign_in(
    client: Client, username: str, password: str = PASSWORD, key: DeviceKey | None = None
) -> httpx.Response:
    """Ask for a sign-in and return the answer, whatever it is."""
    body: dict[str, Any] = {"username": username, "password": password}
    if key is not None:
        body["enrolment"] = {"jwk": key.jwk, "label": "Điện thoại thử"}
    return await client.post("/api/auth/login", json=body)


async def sign_in(client: Client, username: str, password: str = PASSWORD, key: DeviceKey | None = None) -> SignedIn:
    """Sign in."""
    response = await try_sign_in(client, username, password, key)
    assert response.status_code == 200, response.text
    return SignedIn(response.json())


async def person_signed_in(client: Client, username: str, *grants: Grant, key: DeviceKey | None = None) -> SignedIn:
    """Add a person and sign them in."""
    await add_person(client, username, *grants)
    return await sign_in(client, username, key=key)


def claims_of(token: str) -> dict[str, Any]:
    """Return what a JWT says, unchecked."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this problem in the one shape that problems have, and return its parameters."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert (body["code"], body["status"], body["type"]) == (code, status, f"urn:nuong:problem:{code}")
    assert body["title"]
    params: dict[str, Any] = body["params"]
    return params
