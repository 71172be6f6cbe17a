"""Requests through a real Envoy: somebody who asks one host again and again, and models that answer."""

import contextlib
import http.client
import http.server
import threading
import time
from collections.abc import Iterator
from typing import Self

from tests.support.ports import LOOPBACK

PAUSE = 0.001
"""Seconds between two requests: the machine has others to serve."""


class User:
    """Somebody with a key, on a connection that is kept."""

    def __init__(self, port: int, host: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
        self._headers = {"Host": host, "X-User-ID": key}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def version(self) -> str | None:
        """Which version answers; None: nobody answers here."""
        self._connection.request("GET", "/", headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.headers["x-canary-version"]

    def wait_for(self, version: str, seconds: float = 60.0) -> int:
        """When a version has answered (ns).

        Raises:
            TimeoutError: it didn't within `seconds`.
        """
        last = time.monotonic() + seconds
        while self.version() != version:
            if time.monotonic() > last:
                raise TimeoutError(f"{version} does not answer")
            time.sleep(PAUSE)
        return time.time_ns()


class _Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@contextlib.contextmanager
def models(*ports: int) -> Iterator[None]:
    """Something that answers at each of these ports."""
    with contextlib.ExitStack() as running:
        for port in ports:
            server = running.enter_context(http.server.ThreadingHTTPServer((LOOPBACK, port), _Model))
            server.daemon_threads = True
            running.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
