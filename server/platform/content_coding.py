"""How an answer may be compressed for a client: the one reader of `Accept-Encoding` (RFC 9110, 12.5.3).

`CodingMiddleware` applies it to answers of ordinary handlers. Handlers that compress their own answers opt out with
`own_encoding=True` and call `accepted_codings` themselves.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from litestar import Request
from litestar.enums import CompressionEncoding
from litestar.middleware.compression import CompressionMiddleware
from litestar.types import Receive, Scope, Send

Coding = Literal["br", "gzip", "identity"]
_Name = TypeVar("_Name", bound=str)
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
#: An old name that clients still send (RFC 9110, 8.4.1.3).
_ALIASES = {"x-gzip": "gzip"}


def accepted_codings(request: Request[Any, Any, Any], offered: Sequence[_Name]) -> list[_Name]:
    """Return the codings in `offered` that the client takes, best liked first; empty means: do not compress.

    Codings that are liked alike keep the order of `offered`. A coding with an unreadable weight counts as refused.
    """
    # A client or proxy may send the header in several lines (RFC 9110, 5.3).
    weights = _weights(",".join(request.headers.getall("accept-encoding", [])))
    others = weights.get("*", 0.0)
    # An uncompressed body is acceptable unless the client says otherwise, so only a stated preference beats a coding.
    identity = weights.get("identity", 0.0)
    liked = {coding: weights.get(coding, others) for coding in offered}
    return sorted(
        (each for each in offered if liked[each] > 0 and liked[each] >= identity), key=lambda each: -liked[each]
    )


def best_coding(request: Request[Any, Any, Any]) -> Coding:
    """Return the coding for an answer that is compressed as it is sent."""
    offered: tuple[Coding, ...] = ("br", "gzip")
    return next(iter(accepted_codings(request, offered)), "identity")


class CodingMiddleware(CompressionMiddleware):
    """The framework's compression, with the coding chosen here: its own looks for a name anywhere in the header."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compress what the app sends in the coding that the client likes best."""
        coding = best_coding(Request(scope))
        if coding != "identity":
            send = self.create_compression_send_wrapper(send, CompressionEncoding(coding), scope)
        await self.app(scope, receive, send)


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for offer in header.lower().split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        weights[_ALIASES.get(name, name)] = float(weight) if _WEIGHT.fullmatch(weight) else 0.0
    return weights
