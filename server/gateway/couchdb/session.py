"""`/_session`: who one is, and signing in to a cookie, as CouchDB's own clients and replicator do.

The cookie holds a refresh token that is never renewed, so that a sign-in can be ended from the server like any other;
`SameSite=Strict` keeps other sites from using it, and `same_origin` other origins of the same site.
"""

from urllib.parse import parse_qsl

from server.auth.authentication import SIGN_IN_BYTES, client_address
from server.auth.lockout import Attempt
from server.errors import Problem
from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.caller import COOKIE, WRONG
from server.gateway.couchdb.refusals import bad_request, unauthorized
from server.platform.cookies import cookie_value

HANDLERS = ["cookie", "default", "jwt"]
FORM = "application/x-www-form-urlencoded"


async def show(call: Call) -> Answer:
    """Tell the session's name and roles; nobody's is no error."""
    caller = call.caller
    info: dict[str, object] = {"authentication_handlers": HANDLERS}
    if caller is not None:
        info["authenticated"] = caller.handler
    context = {"name": caller.username if caller else None, "roles": caller.roles if caller else []}
    return answer({"ok": True, "userCtx": context, "info": info})


async def begin(call: Call) -> Answer:
    """Sign in with a name and a password, as JSON or as a form; never for a page of another origin."""
    call.parts.recognition.require_own_page(call.request)
    name, password = await _credentials(call)
    recognised = await call.parts.recognition.person(call.request, name, password)
    try:
        signed_in = await call.parts.sessions.login(
            Attempt(name, client_address(call.request)), password, None, "CouchDB"
        )
    except Problem:
        raise unauthorized(WRONG) from None
    roles = sorted({grant.role for grant in recognised.grants})
    cookie = _cookie(call, signed_in.tokens.refresh_token)
    return answer({"ok": True, "name": recognised.username, "roles": roles}, Set_Cookie=cookie)


async def end(call: Call) -> Answer:
    """Sign out; the cookie is worth nothing afterwards."""
    call.parts.recognition.require_own_page(call.request)
    if (cookie := cookie_value(call.request, COOKIE)) is not None:
        await call.parts.sessions.logout(cookie)
    return answer({"ok": True}, Set_Cookie=_cookie(call, "") + "; Max-Age=0")


async def _credentials(call: Call) -> tuple[str, str]:
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        said = dict(parse_qsl((await call.body(SIGN_IN_BYTES)).decode("utf-8", "replace"), keep_blank_values=True))
    else:
        said = {name: value for name, value in (await call.mapping(SIGN_IN_BYTES)).items() if isinstance(value, str)}
    name, password = said.get("name", said.get("username")), said.get("password")
    if name is None or password is None or "\0" in name:
        raise bad_request("request body must contain a username and a password")
    return name, password


def _cookie(call: Call, value: str) -> str:
    secure = "; Secure" if call.request.scope["scheme"] == "https" else ""
    return f"{COOKIE}={value}; Path=/db; HttpOnly; SameSite=Strict{secure}"
