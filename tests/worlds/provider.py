"""An OpenID Connect provider over real HTTP: Authlib's server, and what it says bent on wish."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # it is asked on this machine only

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, OAuth2Error, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

from tests.worlds.accounts import NOON

CLIENT_ID, CLIENT_SECRET = "mobigo of tests", "a secret: with % and +"
logging.getLogger("werkzeug").setLevel(logging.ERROR)


@dataclass
class Somebody:
    """Who sits before the provider's sign-in."""

    sub: str = "sub-of-camille"
    name: str = "Camille Durand"
    email: str = "camille@exemple.test"
    email_verified: Any = True

    @property
    def claims(self) -> dict[str, Any]:
        told = {"name": self.name, "email": self.email, "email_verified": self.email_verified}
        return {name: value for name, value in told.items() if value not in ("", None)}


@dataclass
class Code(AuthorizationCodeMixin):
    code: str
    who: Somebody
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return None

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class Client(ClientMixin):
    """Mobigo, as the provider knows it."""

    methods = ("client_secret_basic",)

    def get_client_id(self):
        return CLIENT_ID

    def get_default_redirect_uri(self):
        return ""

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri.endswith("/connexion/retour")

    def check_client_secret(self, client_secret):
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        return method in self.methods

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


@dataclass
class LocalProvider:
    """The provider of a test, and what it does wrong: `bend` changes claims, `seal` makes the token."""

    issuer: str = ""
    who: Somebody | None = field(default_factory=Somebody)
    now: datetime = NOON
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True))
    algorithm: str = "RS256"
    described: dict[str, Any] = field(default_factory=dict)
    published: list[dict[str, Any]] | None = None
    bend: Callable[[dict[str, Any]], dict[str, Any]] = dict
    seal: Callable[[dict[str, Any]], str] | None = None
    userinfo: Callable[[dict[str, Any]], Any] | None = None
    status: int = 200
    codes: dict[str, Code] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    client: Client = field(default_factory=Client)

    def sealed(self, claims: dict[str, Any]) -> str:
        if self.seal:
            return self.seal(claims)
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, self.key, [self.algorithm])

    def keys(self) -> list[dict[str, Any]]:
        return [self.key.as_dict(private=False)] if self.published is None else self.published


def other_key(kid: str) -> RSAKey:
    """Another key under the same name."""
    return RSAKey.generate_key(2048, {"use": "sig", "kid": kid})


def curve_key() -> ECKey:
    """A key of another kind."""
    return ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)


def _grants(local: LocalProvider) -> tuple[type, OpenIDCode]:
    class CodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

        def save_authorization_code(self, code, request):
            told = request.payload.data
            local.codes[code] = Code(
                code,
                request.user,
                request.payload.redirect_uri,
                request.scope,
                told["nonce"],
                told["code_challenge"],
                told["code_challenge_method"],
            )

        def query_authorization_code(self, code, client):
            return local.codes.get(code)

        def delete_authorization_code(self, authorization_code):
            del local.codes[authorization_code.code]

        def authenticate_user(self, authorization_code):
            return authorization_code.who

    class IdToken(OpenIDCode):
        def exists_nonce(self, nonce, request):
            return False

        def get_client_claims(self, client):
            at = int(local.now.timestamp())
            return {"iss": local.issuer, "aud": [CLIENT_ID], "iat": at, "exp": at + 300, "auth_time": at}

        def resolve_client_private_key(self, client):
            return KeySet([local.key])

        def get_client_algorithm(self, client):
            return local.algorithm

        def get_encode_header(self, client):
            return {"alg": local.algorithm, "kid": local.key.kid}

        def generate_user_info(self, user, scope):
            return UserInfo(sub=user.sub, **({} if local.userinfo else user.claims))

    return CodeGrant, IdToken()


def _app(local: LocalProvider) -> Flask:
    app = Flask("provider")
    server = AuthorizationServer(app, lambda client_id: local.client if client_id == CLIENT_ID else None, _keep)
    code_grant, id_token = _grants(local)
    server.register_grant(code_grant, [id_token, CodeChallenge(required=True)])

    @app.before_request
    def note():
        local.asked.append(request.path)
        return ("", local.status) if local.status != 200 else None

    @app.get("/.well-known/openid-configuration")
    def configuration():
        told = {
            "issuer": local.issuer,
            "authorization_endpoint": f"{local.issuer}/authorize?at=home",
            "token_endpoint": f"{local.issuer}/token",
            "jwks_uri": f"{local.issuer}/jwks",
            "token_endpoint_auth_methods_supported": list(local.client.methods),
            **({"userinfo_endpoint": f"{local.issuer}/userinfo"} if local.userinfo else {}),
        }
        return jsonify({name: value for name, value in (told | local.described).items() if value is not None})

    @app.get("/jwks")
    def jwks():
        return jsonify({"keys": local.keys()})

    @app.get("/authorize")
    def authorize():
        try:
            grant = server.get_consent_grant(end_user=local.who)
        except OAuth2Error as error:
            return (str(error), 400)
        return server.create_authorization_response(grant=grant, grant_user=local.who)

    @app.post("/token")
    def token():
        answer = server.create_token_response()
        told = answer.get_json()
        if "id_token" in told:
            claims = jwt.decode(told["id_token"], KeySet([local.key]), algorithms=[local.algorithm]).claims
            told["id_token"] = local.sealed(local.bend(claims))
            answer = jsonify(told)
        return answer

    @app.get("/userinfo")
    def userinfo():
        assert request.headers["Authorization"].startswith("Bearer ")
        return local.userinfo({"sub": local.who.sub, **local.who.claims})

    @app.get("/elsewhere")
    def elsewhere():
        return redirect("http://192.0.2.1/")

    return app


def _keep(token: dict[str, Any], request: Any) -> None:
    """Access tokens are looked at by nobody here."""


@contextmanager
def local_provider() -> Iterator[LocalProvider]:
    """It listens on a port of this machine."""
    local = LocalProvider()
    app = _app(local)
    app.secret_key = secrets.token_hex()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    local.issuer = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, name="provider", daemon=True)
    thread.start()
    try:
        yield local
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
