"""Provider: an OpenID Connect provider as its own documents describe it, and what it says of somebody.

Authorization code with PKCE (OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207). Its metadata and keys
are kept for an hour; a key that is not among them is looked for once more, a minute apart at least.
Joserfc reads and verifies tokens; only signatures by public keys are taken, so that neither `none`
nor a public key used as a shared secret passes.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

from mobigo.outbound.http import Limits, Said, ask
from mobigo.security import CLOCKS_DIFFER
from socle.errors import BadInput, MobigoError, NotSignedIn, Unavailable

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
_KEPT = timedelta(hours=1)
_LOOKED_AGAIN = timedelta(minutes=1)
_LIMITS = Limits(n_bytes=1 << 20, silence_s=5.0, whole_s=10.0)
_MOST_SUBJECT_LETTERS = 255
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SIGNING_KEYS = {"RSA", "EC", "OKP"}


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """How we are known to a provider; `name` is the one that people read."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of somebody; `email` only when it has verified it."""

    issuer: str
    subject: str
    name: str
    email: str


def read_access(issuer: str, client_id: str, client_secret: str, name: str) -> ProviderAccess | None:
    """The provider of the settings, if one is named.

    Raises:
        BadInput: `bad_provider`: half of it, or an address that anybody on the way could answer for.
    """
    if not issuer and not client_id:
        return None
    parts = urlsplit(issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not client_id or not is_safe or not parts.hostname or parts.query or parts.fragment:
        raise BadInput("bad_provider", issuer=issuer)
    return ProviderAccess(issuer, client_id, client_secret, name or parts.hostname)


class Provider:
    """A provider: where it sends people, and who it says they are."""

    def __init__(self, access: ProviderAccess) -> None:
        self.access = access
        self._lock = threading.Lock()
        self._metadata: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    def sign_in_address(self, callback: str, state: str, nonce: str, challenge: str, now: datetime) -> str:
        """Where a browser is sent; `challenge` is the SHA-256 of the verifier.

        Raises:
            Unavailable: `outside_silent`.
        """
        asked = {
            "response_type": "code",
            "client_id": self.access.client_id,
            "redirect_uri": callback,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = self._address("authorization_endpoint", now)
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    def check_issuer(self, told: str, now: datetime) -> None:
        """Refuse an answer that names another issuer, or none where this one always names itself (RFC 9207).

        Raises:
            NotSignedIn: `outside_refused`.
            Unavailable: `outside_silent`.
        """
        always = self._described(now).get("authorization_response_iss_parameter_supported") is True
        if told != self.access.issuer and (told or always):
            raise self._refusal("another issuer")

    def take_code(self, code: str, callback: str, verifier: str, nonce: str, now: datetime) -> Claims:
        """Who brought this code back.

        Raises:
            NotSignedIn: `outside_refused`: used, not ours, or with a token that is not to be believed.
            Unavailable: `outside_silent`.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": verifier,
            "client_id": self.access.client_id,
        }
        headers = {}
        if self.access.client_secret:
            methods = self._described(now).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in methods:
                pair = f"{quote(self.access.client_id, safe='')}:{quote(self.access.client_secret, safe='')}"
                headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = self.access.client_secret
        tokens = self._read(self._ask(self._address("token_endpoint", now), headers, form))
        claims = self._verified(tokens.get("id_token"), now)
        self._check(claims, now, nonce=nonce)
        if "email" not in claims and "userinfo_endpoint" in self._described(now):
            claims = {**claims, **self._more(claims["sub"], tokens.get("access_token"), now)}
        told = claims.get("email_verified")
        is_verified = told is True or told == "true"  # some write it as a string
        names = [claims.get("name"), f"{claims.get('given_name', '')} {claims.get('family_name', '')}"]
        name = next((each for each in names if isinstance(each, str) and each.strip()), "")
        email = claims.get("email")
        return Claims(self.access.issuer, claims["sub"], name, email if is_verified and isinstance(email, str) else "")

    # --- tokens ---

    def _verified(self, token: object, now: datetime) -> dict[str, Any]:
        """The claims of a token that the provider signed; whom they are for is not looked at yet."""
        if not isinstance(token, str):
            raise self._refusal("no token")
        try:
            try:
                return jwt.decode(token, self._key_set(now), algorithms=ALGORITHMS).claims
            except InvalidKeyIdError:  # a new key
                return jwt.decode(token, self._key_set(now, _LOOKED_AGAIN), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError) as fault:
            raise self._refusal(str(fault)) from None

    def _check(self, claims: Mapping[str, Any], now: datetime, *, nonce: str) -> None:
        """Refuse a token of another issuer, for somebody else, over, or of another sign-in."""
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=int(CLOCKS_DIFFER.total_seconds()),
            iss={"essential": True, "value": self.access.issuer},
            aud={"essential": True, "value": self.access.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as fault:
            raise self._refusal(str(fault)) from None
        audience = claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", None if is_shared else self.access.client_id) != self.access.client_id:
            raise self._refusal("for another party")
        if not 0 < len(claims["sub"]) <= _MOST_SUBJECT_LETTERS:
            raise self._refusal("subject too long")

    def _more(self, subject: str, access_token: object, now: datetime) -> Mapping[str, Any]:
        """What the provider tells of the same person elsewhere, as JSON or as a token it signed."""
        if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable():
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        said = self._ask(self._address("userinfo_endpoint", now), headers)
        if said.content_type.partition(";")[0].strip().lower() == "application/jwt":
            told: Mapping[str, Any] = self._verified(said.body.decode("ascii", "replace").strip(), now)
            audience = told.get("aud")
            ours = self.access.client_id in (audience if isinstance(audience, list) else [audience])
            if told.get("iss") != self.access.issuer or not ours:
                raise self._refusal("userinfo for another party")
        else:
            told = self._read(said)
        if told.get("sub") != subject:
            raise self._refusal("userinfo of somebody else")
        return {name: told[name] for name in _OF_USERINFO if name in told}

    # --- its documents ---

    def _described(self, now: datetime) -> Mapping[str, Any]:
        with self._lock:
            if self._metadata is None or not timedelta(0) <= now - self._metadata[0] < _KEPT:
                address = f"{self.access.issuer.rstrip('/')}/.well-known/openid-configuration"
                told = self._read(self._ask(address))
                if told.get("issuer") != self.access.issuer:
                    log.error("the provider calls itself otherwise", extra={"issuer": str(told.get("issuer"))})
                    raise self._silence()
                self._metadata = (now, told)
            return self._metadata[1]

    def _address(self, name: str, now: datetime) -> str:
        """One of its addresses: as safe as its own."""
        address = self._described(now).get(name)
        same = urlsplit(self.access.issuer).scheme
        if not isinstance(address, str) or urlsplit(address).scheme not in {same, "https"}:
            log.error("the provider gives no such address", extra={"address": name})
            raise self._silence()
        return address

    def _key_set(self, now: datetime, kept: timedelta = _KEPT) -> KeySet:
        address = self._address("jwks_uri", now)
        with self._lock:
            if self._keys is None or not timedelta(0) <= now - self._keys[0] < kept:
                self._keys = (now, _read_keys(self._read(self._ask(address))))
            return self._keys[1]

    def _ask(
        self, address: str, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> Said:
        try:
            return ask(address, headers or {}, form, _LIMITS)
        except MobigoError as fault:
            log.warning("the provider does not answer", extra={"fault": str(fault)})
            raise self._silence() from None

    def _read(self, said: Said) -> dict[str, Any]:
        """An answer of the provider; 4xx is a refusal, anything else that is no JSON object is silence."""
        try:
            told = json.loads(said.body)
        except (ValueError, RecursionError):
            told = None
        if 400 <= said.status < 500:
            reason = told.get("error") if isinstance(told, dict) else None
            raise self._refusal(f"{said.status} {reason}")
        if said.status != 200 or not isinstance(told, dict):
            log.warning("the provider answers nonsense", extra={"status": said.status})
            raise self._silence()
        return told

    def _refusal(self, reason: str) -> NotSignedIn:
        """The reason is for the operator; whoever tries learns that it was refused."""
        log.warning("a sign-in by the provider is refused", extra={"reason": reason})
        return NotSignedIn("outside_refused", name=self.access.name)

    def _silence(self) -> Unavailable:
        return Unavailable("outside_silent", name=self.access.name)


_OF_USERINFO = ("email", "email_verified", "name", "given_name", "family_name")


def _read_keys(told: Mapping[str, Any]) -> KeySet:
    """The public keys that sign; others, and those of kinds we do not know, are left out (RFC 7517, section 5)."""
    listed = told.get("keys")
    found = []
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("kty") in _SIGNING_KEYS and each.get("use", "sig") == "sig":
            try:
                found.append(JWKRegistry.import_key(each))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return KeySet(found)
