"""The national registry over real HTTP, as its contract 3.3 draws it: tokens, journeys kept, answers bent on wish."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCESS, SECRET = "access", "a secret of tests"
_CORRECTABLE = {"operator_class", "incentives", "start", "end", "distance"}
_WANTED = _CORRECTABLE | {"operator_journey_id", "operator_trip_id", "driver", "passenger"}
_IDENTITY = {"operator_user_id", "identity_key", "phone_trunc"}
_PATH = re.compile(r"/v3\.3/journeys/([a-z0-9]{1,256})(/cancel)?")


def rpc_error(code, message, data):
    return {"id": 1, "jsonrpc": "2.0", "error": {"data": data, "code": code, "message": message}}


@dataclass
class NationalRegistry:
    """`bent`: answers (status, headers, body) given instead of the next ones; `asked`: method, path, body of each."""

    journeys: dict = field(default_factory=dict)
    statuses: dict = field(default_factory=dict)
    bent: deque = field(default_factory=deque)
    asked: list = field(default_factory=list)
    loses_answers: bool = False
    n_tokens: int = 0

    def __post_init__(self):
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_args):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                told = json.loads(body) if body else None
                status, headers, said = registry.answer(
                    self.command, self.path, self.headers.get("Authorization"), told
                )
                content = json.dumps(said).encode()
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815  as the library calls them

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/v3.3"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, path, authorization, told):
        if (method, path) == ("POST", "/v3.3/auth/access_token"):
            if told != {"access_key": ACCESS, "secret_key": SECRET}:
                return 401, {}, rpc_error(-32501, "Unauthorized Error", "Unauthorized application")
            self.n_tokens += 1
            return 201, {}, {"access_token": f"token{self.n_tokens}"}
        self.asked.append((method, path.removeprefix("/v3.3"), told))
        if authorization != f"Bearer token{self.n_tokens}":
            return 401, {}, rpc_error(-32501, "Unauthorized Error", "Unauthorized application")
        if self.bent:
            return self.bent.popleft()
        status, said = self.do(method, path, told)
        if self.loses_answers:
            self.loses_answers = False
            return 502, {}, {}
        return status, {}, said

    def do(self, method, path, told):
        if (method, path) == ("POST", "/v3.3/journeys"):
            people = [told["driver"]["identity"], told["passenger"]["identity"]]
            if set(told) != _WANTED or any(not set(one) >= _IDENTITY for one in people):
                return 400, rpc_error(-32602, "Invalid params", "data")
            journey = told["operator_journey_id"]
            if journey in self.journeys:
                return 409, {}
            self.journeys[journey] = told
            return 201, {"id": 1, "jsonrpc": "2.0", "result": {"meta": None, "data": {"operator_journey_id": journey}}}
        found = _PATH.fullmatch(path)
        if found is None or found[1] not in self.journeys:
            return 404, {"code": 404, "error": "Not found"}
        journey, is_cancel = found[1], found[2] is not None
        if method == "PATCH" and not is_cancel:
            if not _CORRECTABLE <= set(told) <= _CORRECTABLE | {"operator_trip_id"}:
                return 400, rpc_error(-32602, "Invalid params", "data")
            self.journeys[journey] |= told
            return 200, {}
        if method == "POST" and is_cancel:
            if not re.fullmatch(r"[0-9A-Za-z_-]{0,32}", told["code"]) or set(told) > {"code", "message"}:
                return 400, rpc_error(-32602, "Invalid params", "data")
            self.statuses[journey] = {"status": "canceled"}
            return 200, {}
        told = {"operator_journey_id": journey, "created_at": "2026-03-02T09:00:00Z"}
        return 200, told | self.statuses.get(journey, {"status": "ok"})
