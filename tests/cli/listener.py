"""A listener that answers as an Envoy in front of a deployment does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Listener:
    """Where it listens, and what it was asked: path and headers (names in lower case), bodies of POSTs."""

    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def listener(version_of: Callable[[int], str]) -> Iterator[Listener]:
    """Serve; the n-th request (from 1) reaches the version of `n`, "" for none."""
    seen = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            version = version_of(len(seen.asked))
            self.send_response(200 if version else 404)
            if version:
                self.send_header("x-canary-version", version)
            self.end_headers()
            self.wfile.write(b"hello from a model")

        def do_POST(self) -> None:
            seen.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.port = server.server_port
    serving = Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    yield seen
    server.shutdown()
    serving.join()
    server.server_close()
