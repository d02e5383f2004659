"""The answer to `OPTIONS`: all methods of an address."""

from litestar.routes import HTTPRoute
from litestar.types import Message, Scope


async def name_all_methods(message: Message, scope: Scope) -> None:
    """Before an answer is sent: let `Allow` name every method; the framework forgets those of handlers added later."""
    if message["type"] != "http.response.start" or scope.get("method") != "OPTIONS":
        return
    here = [each for each in scope["litestar_app"].routes if isinstance(each, HTTPRoute)]
    methods = {method for each in here if each.path_format == scope.get("path_template") for method in each.methods}
    allow = b", ".join(method.encode() for method in sorted(methods))
    message["headers"] = [(name, allow if name.lower() == b"allow" else value) for name, value in message["headers"]]
