"""Authentication of an exchange: its enrolment, and the rights that it has.

Three ways in: an access token; one that has run out beside a refresh token, for which the answer carries new ones; or
no token, when the push bears a valid seal by a key that nobody has revoked. The last pushes and is acknowledged, so
that a signed-out queue still leaves, and pulls nothing. Every request is sealed, whichever way it comes.
"""

from dataclasses import dataclass

from server.auth import enrolments, people
from server.auth.enrolments import Enrolment
from server.auth.principal import Principal
from server.auth.sessions import Sessions
from server.auth.tokens import IssuedTokens, verify_seal
from server.errors import Problem
from server.gateway.sync.outcomes import UnconfirmedOutcome, load_waiting
from server.gateway.sync.progress import Progress, load_progress
from server.gateway.sync.read_request import Envelope
from server.gateway.sync.seal import RequestSeal
from server.ingest.phone_checks import Pusher
from server.platform.db.engine import Storage


@dataclass(frozen=True, slots=True)
class PhoneCaller:
    """An enrolment at the beginning of its exchange; `principal` has the rights of this moment, perhaps none.

    `is_news`: whether the request was later than all that counted, when `progress` was read.
    """

    enrolment: Enrolment
    principal: Principal
    tokens: IssuedTokens | None
    is_signed_in: bool
    progress: Progress
    is_news: bool
    waiting: tuple[UnconfirmedOutcome, ...]

    @property
    def pusher(self) -> Pusher:
        """Return who pushes, as admission asks."""
        then = Principal(self.principal.person, "", self.enrolment.id, self.enrolment.exchange_grants or ())
        waiting = frozenset((row.database, row.doc_id, row.rev) for row in self.waiting)
        return Pusher(self.enrolment.id, self.principal, then, waiting)


async def identify(storage: Storage, sessions: Sessions, said: Envelope, access_token: str | None) -> PhoneCaller:
    """Return who sends a request; raises `not_signed_in`, `enrolment_mismatch`, `enrolment_revoked` or a bad seal."""
    principal, tokens, refusal = await _signed_in(sessions, said.refresh, access_token)
    if principal is not None and principal.enrolment != said.enrolment:
        raise Problem("enrolment_mismatch")
    async with storage.read() as connection:
        enrolment = await enrolments.find(connection, said.enrolment)
        if enrolment is None:
            raise refusal
        if enrolment.revoked_at is not None:
            raise Problem("enrolment_revoked")
        is_signed_in = principal is not None
        if principal is None:
            if not said.seal.push:
                raise refusal
            principal = await people.principal(connection, enrolment.person, enrolment.id)
        progress = await load_progress(connection, enrolment.id) or Progress()
        waiting = await load_waiting(connection, enrolment.id)
    _check_seal(enrolment, said.seal)
    # A person who was shut out has no rights now; those of the last exchange still decide about older work.
    nobody = Principal(enrolment.person, "", enrolment.id, ())
    is_news = progress.is_news(said.exchange)
    return PhoneCaller(enrolment, principal or nobody, tokens, is_signed_in, progress, is_news, waiting)


async def _signed_in(
    sessions: Sessions, refresh: str | None, access_token: str | None
) -> tuple[Principal | None, IssuedTokens | None, Problem]:
    if access_token is None:
        return None, None, Problem("not_signed_in")
    try:
        return await sessions.principal(access_token), None, Problem("not_signed_in")
    except Problem as refusal:
        if refusal.code != "not_signed_in" or refresh is None:
            return None, None, refusal
    try:
        principal, tokens = await sessions.accept_expired(access_token, refresh)
    except Problem as refusal:
        return None, None, refusal
    return principal, tokens, Problem("not_signed_in")


def _check_seal(enrolment: Enrolment, seal: RequestSeal) -> None:
    if seal.signature is None:
        raise Problem("seal_missing")
    if not verify_seal(enrolment.jwk, seal.signature, seal.payload()):
        raise Problem("seal_invalid")
