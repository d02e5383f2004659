"""Connections that send nothing, or next to nothing, are cut by the server itself and not only by the proxy before it.

While the server waits for a client's bytes a watch runs: for a request's head, which is small, a limit in all; for a
body, which may be a photo on EDGE, a limit on progress: so many bytes in each interval. It stands still while nothing
is expected of the client: the answer is being made or sent, or the server itself has paused reading.
"""

import asyncio
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: What has to arrive in each `body_s` for a body to go on: a hundredth of a link of 64 kbit/s.
PROGRESS_BYTES_PER_S = 80


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request's head may take, and in which intervals a body must have gone on."""

    head_s: float
    body_s: float

    @property
    def least(self) -> int:
        """Return how many bytes of a body have to arrive in an interval."""
        return max(1, int(PROGRESS_BYTES_PER_S * self.body_s))


def patient_protocol(patience: Patience) -> type[HttpToolsProtocol]:
    """Return uvicorn's HTTP protocol that waits for clients as long as `patience` says."""

    class PatientProtocol(HttpToolsProtocol):
        """One connection; `_expects` is what the client has still to send: the head, the body, or nothing."""

        _watch: asyncio.TimerHandle | None = None
        _expects = ""
        _arrived = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect("head")

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect("")
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._arrived += len(data)
            super().data_received(data)
            # Line ends between two requests, which begin none, have ended uvicorn's own wait for the next.
            is_idle = self._expects == "" and (self.cycle is None or self.cycle.response_complete)
            if is_idle and self.timeout_keep_alive_task is None and not self.transport.is_closing():
                self._expect("head")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            # The first bytes of a further request on a kept connection; of the first one the watch runs already.
            if self._expects != "head":
                self._expect("head")

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._expect("body")

        def on_message_complete(self) -> None:
            self._expect("")
            super().on_message_complete()

        def _expect(self, what: str) -> None:
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None
            self._expects, self._arrived = what, 0
            if what:
                wait_s = patience.head_s if what == "head" else patience.body_s
                self._watch = self.loop.call_later(wait_s, self._look)

        def _look(self) -> None:
            self._watch = None
            # Paused means that the server is the slower one: uvicorn pauses while it has more than it has read.
            goes_on = self._expects == "body" and self._arrived >= patience.least
            if goes_on or self.flow.read_paused:
                self._expect(self._expects)
            elif not self.transport.is_closing():
                self.logger.info("A client that sent too little was cut off while its %s was awaited", self._expects)
                self.transport.abort()

    return PatientProtocol
