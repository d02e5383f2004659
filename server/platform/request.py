"""Requests as all of the API's handlers get them: their bodies are read strictly, and within limits.

The framework's own reader lets `RecursionError` out where JSON is nested deeply, reads whatever size the largest door
takes before it is known who asks, and calls a client that goes away a failure of the server.
"""

from typing import Any

from litestar import Request
from litestar.types import HTTPScope, Receive, Scope, Send

from server.errors import Problem
from server.platform.json_reader import place_of, read
from sync.revisions.canonical import Json, MalformedJson, check_size

#: Far more than any door of the API is sent: phones' exchanges and replicas' batches have limits of their own.
JSON_BYTES = 1_000_000
JSON_VALUES = 20_000


class StrictRequest(Request[Any, Any, Any]):
    """The request of every handler."""

    def __init__(self, scope: Scope | HTTPScope, receive: Receive, send: Send) -> None:
        """Refuse to wait for a body whose client has gone."""

        async def receive_or_refuse() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem("body_truncated")
            return message

        super().__init__(scope, receive_or_refuse, send)

    async def json(self) -> Json:
        """Return the body's JSON, None for an empty body; raise `malformed_json` with what is wrong and where."""
        if (self.content_length or 0) > JSON_BYTES:
            raise Problem("too_large", limit=JSON_BYTES)
        body = await self.body()
        if len(body) > JSON_BYTES:
            raise Problem("too_large", limit=JSON_BYTES)
        if not body:
            return None
        try:
            check_size(body, JSON_VALUES)
            reading = read(body)
        except MalformedJson as error:
            raise Problem("malformed_json", reason=error.code, where=place_of(error, body)) from None
        for flaw in reading.flaws:
            raise Problem("malformed_json", reason=flaw.code, where=flaw.where[:200])
        return reading.value
