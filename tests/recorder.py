"""A TCP relay that keeps every byte which passes, so that tests can look at what really crossed the wire."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Recorder:
    """Relays connections from its own loopback port to a target port and records both directions.

    Use it as a context manager; `traffic()` gives everything that passed so far.
    """

    def __init__(self, port: int = 0) -> None:
        """Listen on a loopback port.

        Args:
            port: the port to listen on; 0 lets the system choose.
        """
        self._listener = socket.create_server(("127.0.0.1", port))
        self._target = 0
        self._chunks: list[bytes] = []
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._pumps: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return int(self._listener.getsockname()[1])

    def relay_to(self, port: int) -> None:
        """Name the loopback port that connections are passed on to."""
        self._target = port

    def traffic(self) -> bytes:
        """All bytes of both directions, one chunk after the other."""
        with self._lock:
            return b"\n".join(self._chunks)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # shutdown wakes the thread that waits in accept; close alone would not
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for pump in self._pumps:
            pump.join(timeout=5)
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(client)
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:
                client.shutdown(socket.SHUT_RDWR)
                continue
            server.settimeout(None)
            self._connections.append(server)
            for end in (client, server):
                # otherwise a head and its body, sent apart, wait 40 ms for each other
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink in ((client, server), (server, client)):
                pump = threading.Thread(target=self._pump, args=(source, sink), daemon=True)
                self._pumps.append(pump)
                pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        parts: list[bytes] = []
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                parts.append(data)
                with self._lock:
                    self._chunks.append(data)
                sink.sendall(data)
        # a value may straddle two reads: keep the joined stream as well
        with self._lock:
            self._chunks.append(b"".join(parts))
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
