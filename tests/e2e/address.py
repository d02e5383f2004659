"""One address that leads to one server today and to another tomorrow, as a name does in a commune office's Wi-Fi."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from tests.e2e.live_server import LiveServer

CHUNK_BYTES = 65_536


class Address:
    """A port of the loopback; whoever connects is passed on to the server that it leads to, or turned away."""

    def __init__(self) -> None:
        """Listen at once, leading nowhere."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._target: LiveServer | None = None
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, server: LiveServer | None) -> None:
        """Pass new connections on to `server`; those that stand are cut, as a phone's are when it walks away."""
        self._target = server
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        """Return the address."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Listen no more."""
        self.lead_to(None)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                phone, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(phone,), daemon=True).start()

    def _serve(self, phone: socket.socket) -> None:
        target = self._target
        with phone, contextlib.suppress(OSError):
            if target is None:
                return
            with socket.create_connection(("127.0.0.1", target.port)) as server:
                self._open |= {phone, server}
                back = threading.Thread(target=self._pass, args=(server, phone), daemon=True)
                back.start()
                self._pass(phone, server)
                back.join()
                self._open -= {phone, server}

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
