"""Signing in, staying signed in, signing out: what the doors ask about the person behind a request.

Wrong name and wrong password are one answer, after the same work. A renewal is its own transaction, committed before
its tokens leave; repeating it after a lost answer works (see `refresh`).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from server.auth import enrolments, lockout, people, refresh
from server.auth.audit import note
from server.auth.enrolments import Enrolment
from server.auth.keys import KeyRing
from server.auth.lockout import Attempt
from server.auth.passwords import NOBODY, UNTOLD, Passwords
from server.auth.people import Person
from server.auth.principal import Principal
from server.auth.refresh import SignIn
from server.auth.tokens import AccessTokens, BadToken, ExpiredToken, IssuedTokens
from server.errors import Problem
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh sign-in; `enrolment` only where a device key was sent."""

    person: Person
    enrolment: Enrolment | None
    tokens: IssuedTokens


class Sessions:
    """The sign-ins of one server."""

    def __init__(self, storage: Storage, keys: KeyRing, passwords: Passwords, clock: Clock, settings: Settings) -> None:
        """Take the lengths of sessions and the lock rule from `settings`."""
        self._storage = storage
        self._passwords = passwords
        self._clock = clock
        self._access = AccessTokens(keys, clock, timedelta(seconds=settings.access_token_s))
        self._refresh_lifetime = timedelta(seconds=settings.refresh_token_s)
        self._rule = lockout.LockRule(
            settings.login_attempts,
            settings.login_attempts_widely,
            timedelta(seconds=settings.login_lock_s),
            timedelta(seconds=settings.login_lock_max_s),
        )

    async def login(self, attempt: Attempt, password: str, jwk: Mapping[str, object] | None, label: str) -> SignedIn:
        """Return a new sign-in.

        Raises `wrong_password`, `account_locked`, `account_closed`, `sign_in_at_province`, or a bad key's problem.
        """
        return await self._begin(attempt, await self._recognise(attempt, password), jwk, label)

    async def confirm_password(self, person: str, password: str, address: str) -> None:
        """Return if this is the person's password; raises and counts like `login`."""
        async with self._storage.read() as connection:
            found = await people.find(connection, person)
        if found is None:
            raise Problem("not_signed_in", reason="ended")
        await self.confirm_name_and_password(Attempt(found.username, address), password)

    async def confirm_name_and_password(self, attempt: Attempt, password: str) -> Person:
        """Return whose name and password these are, without a sign-in; raises and counts like `login`."""
        person = await self._recognise(attempt, password)
        async with self._storage.write() as connection:
            await lockout.note_right(connection, attempt, self._clock())
        return person

    async def _recognise(self, attempt: Attempt, password: str) -> Person:
        async with self._storage.write() as connection:
            until = await lockout.count_attempt(connection, attempt, self._rule, self._clock())
        if until is not None:
            raise Problem("account_locked", until=until.isoformat())
        async with self._storage.read() as connection:
            found = await people.find_by_username(connection, attempt.username)
        is_untold = found is not None and found[1] == UNTOLD
        is_right = await self._passwords.is_right(password, found[1] if found and not is_untold else NOBODY)
        if is_untold:
            async with self._storage.write() as connection:
                await lockout.take_back(connection, attempt, self._clock())
            raise Problem("sign_in_at_province")
        if found is None or not is_right:
            # The same work for a name that nobody has, of which nothing is kept: it may be a password.
            async with self._storage.write() as connection:
                await lockout.note_wrong(connection, attempt, self._clock())
                await note(connection, self._clock, None, "login_failed", found[0].id if found else "")
            raise Problem("wrong_password")
        return found[0]

    async def _begin(self, attempt: Attempt, person: Person, jwk: Mapping[str, object] | None, label: str) -> SignedIn:
        now = self._clock()
        # By itself: the password was right, whatever is refused now.
        async with self._storage.write() as connection:
            await lockout.note_right(connection, attempt, now)
        async with self._storage.write() as connection:
            if not person.is_active:
                raise Problem("account_closed")
            enrolment = None if jwk is None else await enrolments.register(connection, person.id, jwk, label, now)
            name = enrolment.id if enrolment else None
            sign_in = SignIn(person.id, name, str(uuid.uuid4()))
            await refresh.forget_expired(connection, person.id, now)
            token = await refresh.begin(connection, sign_in, label, now, self._refresh_lifetime)
            await people.change(connection, person.id, {"signed_in_at": now})
            await note(connection, self._clock, person.id, "login", person.id, enrolment=name)
        return SignedIn(person, enrolment, await self._tokens(sign_in, token))

    async def refresh(self, token: str) -> IssuedTokens:
        """Return new tokens for a refresh token; raises `not_signed_in`."""
        return (await self._renew(token))[1]

    async def logout(self, token: str) -> None:
        """End the sign-in that this refresh token belongs to; unknown ones are none of ours."""
        now = self._clock()
        async with self._storage.write() as connection:
            known = await refresh.family_of(connection, token)
            if known is not None:
                await refresh.revoke_family(connection, known[1], now)
                await note(connection, self._clock, known[0], "logout", known[0])

    async def principal(self, token: str) -> Principal:
        """Return who an access token stands for, with the rights of this moment; raises `not_signed_in`."""
        try:
            access = await self._access.check(token)
        except ExpiredToken:
            raise Problem("not_signed_in", "The access token has run out", reason="expired") from None
        except BadToken:
            raise Problem("not_signed_in", reason="unknown") from None
        return await self._principal(access)

    async def principal_of_refresh(self, token: str) -> Principal | None:
        """Return who a refresh token stands for, without using it up; None when it has ended."""
        async with self._storage.read() as connection:
            sign_in = await refresh.stands_for(connection, token, self._clock())
            if sign_in is None:
                return None
            return await people.principal(connection, sign_in.person, sign_in.enrolment, sign_in.family)

    async def stands(self, principal: Principal) -> Principal | None:
        """Return `principal` with the rights of this moment; None once the person, device or sign-in is shut out.

        What an open feed asks again and again. Who came by name and password has no sign-in to look at.
        """
        async with self._storage.read() as connection:
            return await people.principal(connection, principal.person, principal.enrolment, principal.family)

    async def accept_expired(self, access_token: str, refresh_token: str) -> tuple[Principal, IssuedTokens]:
        """Return who an access token stood for, and new tokens, given the refresh token beside it.

        One request of the sync door does what otherwise takes two on a slow link. Raises `not_signed_in`.
        """
        try:
            access = await self._access.check(access_token, even_expired=True)
        except BadToken:
            raise Problem("not_signed_in", reason="unknown") from None
        return await self._renew(refresh_token, expected=access)

    async def _renew(self, token: str, expected: SignIn | None = None) -> tuple[Principal, IssuedTokens]:
        now = self._clock()
        async with self._storage.write() as connection:
            if expected is not None:
                known = await refresh.family_of(connection, token)
                if known != (expected.person, expected.family):
                    raise Problem("not_signed_in", reason="unknown")
            result = await refresh.renew(connection, token, now, self._refresh_lifetime)
            if isinstance(result, refresh.Reused):
                await note(connection, self._clock, result.person, "refresh_reused", result.person)
        if not isinstance(result, refresh.Renewal):
            raise Problem("not_signed_in", reason="ended")
        principal = await self._principal(result.sign_in)
        return principal, await self._tokens(result.sign_in, result.successor)

    async def _principal(self, sign_in: SignIn) -> Principal:
        async with self._storage.read() as connection:
            found = await people.principal(connection, sign_in.person, sign_in.enrolment, sign_in.family)
        if found is None:
            raise Problem("not_signed_in", reason="ended")
        return found

    async def _tokens(self, sign_in: SignIn, refresh_token: str) -> IssuedTokens:
        return IssuedTokens(
            await self._access.issue(sign_in), int(self._access.lifetime.total_seconds()), refresh_token
        )
