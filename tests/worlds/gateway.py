"""A gateway for text messages: an HTTP server in a process of its own, which answers as it is told to."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Gateway:
    """Its address, what it is to answer, and what it was handed: headers and body of each request."""

    def __init__(self, address, statuses, seen):
        self.address, self._statuses, self._seen = address, statuses, seen

    def will_answer(self, *statuses):
        for status in statuses:
            self._statuses.put(status)

    def next_seen(self):
        """The next request that came; waits for none."""
        return self._seen.get(timeout=10)

    @property
    def has_seen_all(self):
        return self._seen.empty()


@contextmanager
def gateway():
    """The gateway, until the block ends."""
    spawn = multiprocessing.get_context("spawn")
    statuses, seen, port = spawn.Queue(), spawn.Queue(), spawn.Queue()
    process = spawn.Process(target=_serve, args=(statuses, seen, port), daemon=True)
    process.start()
    try:
        yield Gateway(f"http://127.0.0.1:{port.get(timeout=30)}/sms", statuses, seen)
    finally:
        process.kill()
        process.join()


def _serve(statuses, seen, port):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.put((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            said = b"refused: " + body  # as careless as gateways are
            self.send_response(statuses.get())
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_port)
    server.serve_forever()
