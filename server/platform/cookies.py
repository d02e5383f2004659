"""The one reader of the `Cookie` header (RFC 6265, 5.4).

The standard library's parser drops every cookie when it meets one that it can't read. Browsers send such cookies:
other apps of the same host put JSON, spaces and colons into theirs.
"""

from typing import Any

from litestar import Request


def cookie_value(request: Request[Any, Any, Any], name: str) -> str | None:
    """Return the value of the cookie `name`; None if it is absent or empty.

    Of several the first counts: browsers send the one with the longest path first.
    """
    # HTTP/2 allows one line for each cookie (RFC 9113, 8.2.3).
    for pair in ";".join(request.headers.getall("cookie", [])).split(";"):
        key, _, value = pair.partition("=")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if key.strip() == name and value:
            return value
    return None
