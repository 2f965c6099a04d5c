"""Every page and every form, as somebody would use them who means harm."""

from urllib.parse import quote, urlencode, urlsplit

import pytest

from mobigo.api.middleware import PAGE_HEADERS
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from tests.worlds.accounts import NOON
from tests.worlds.hostile import DAY, FILLED, IN_ADDRESSES, NO_LETTERS, TYPED, shows_no_harm

# What is there with a provider only.
NOT_SEEN = {"/connexion/ailleurs", "/connexion/retour"}
FORM = "application/x-www-form-urlencoded"


def n_lines(site):
    """How many lines the audit log has, where none is ever taken away."""
    with reading(site.people.engine) as session:
        return list_lines(session, AuditFilter(), limit=1)[0].number


def filled(found):
    """What the form holds, and something in what it asks for and is empty."""
    return {**found.form.fields, **{name: FILLED.get(name, "") for name in found.form.names if name in FILLED}}


def test_the_walk_leads_to_every_page_and_every_form(walk):
    assert {each.path for each in walk.routes if "GET" in each.methods} - set(walk.pages) == NOT_SEEN
    posted = {each.path for each in walk.routes if "POST" in each.methods}
    assert {path for path, _names, _signed_in in walk.forms} == posted


def test_a_form_that_did_not_come_from_our_page_changes_nothing(walk, site):
    keys, wrong = site.people.keys, []
    for found in walk.forms.values():
        other = keys.csrf_token("f.another browser", site.clock.now + DAY)
        for name, token, headers in (
            ("none", "", {}),
            ("another's", other, {}),
            ("forged", "A" * 64, {}),
            ("no text", "é\0", {}),
            ("from elsewhere", None, {"Sec-Fetch-Site": "cross-site"}),
            ("from a sister site", None, {"Sec-Fetch-Site": "same-site"}),
            ("without the cookie", None, {"Cookie": "x=y"}),
        ):
            before = n_lines(site)
            answer = walk.send(found, filled(found), token, **headers)
            led_away = answer.status_code == 303 and answer.headers["location"].startswith("/connexion?")
            n_new = n_lines(site) - before - found.signed_in  # the walk's own signing in
            if not (answer.status_code in {400, 403} or led_away) or n_new:
                wrong.append((str(found), name, answer.status_code, n_new))
    assert wrong == []


def test_a_form_of_yesterday_is_refused(walk, site):
    keys = site.people.keys
    for found in list(walk.forms.values())[:4]:
        cookie = walk.cookie(signed_in=found.signed_in)
        old = keys.csrf_token(cookie, site.clock.now - DAY * 1.01)
        body = urlencode({**filled(found), "jeton": old})
        answer = walk.client.post(
            found.form.action, content=body, headers={"Content-Type": FORM, "Cookie": f"mobigo={cookie}"}
        )
        assert answer.status_code == 403


def test_a_body_that_is_no_form_is_refused(walk):
    wrong = []
    bodies = {
        "json": (b'{"a": 1}', "application/json"),
        "parts": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        "no type": (b"a=b", ""),
        "text": (b"a=b", "text/plain"),
        "too large": (b"a=" + b"x" * 70_000, FORM),
        "too many": (b"&".join(b"a%d=b" % n for n in range(200)), FORM),
        "no text": (b"\xff\xfe=\x00", FORM),
        "nothing": (b"", FORM),
    }
    for found in walk.forms.values():
        for name, (body, content_type) in bodies.items():
            cookie = walk.cookie(signed_in=found.signed_in)
            headers = {"Content-Type": content_type, "Cookie": f"mobigo={cookie}"}
            answer = walk.client.post(found.form.action, content=body, headers=headers)
            if answer.status_code not in {400, 403, 422}:
                wrong.append((str(found), name, answer.status_code))
    assert wrong == []


def test_whatever_stands_in_an_address_is_text(walk):
    """Every part of every address that may be chosen: what is named in it, and what is asked behind it."""
    wrong = []
    for route in walk.routes:
        if "GET" not in route.methods or route.path.startswith("/connexion/ailleurs"):
            continue
        asked = [each.alias for each in route.dependant.query_params] or ["x"]
        plain = walk.pages.get(route.path, route.path)
        for what, typed in IN_ADDRESSES.items():
            paths = [f"{urlsplit(plain).path}?{urlencode({name: typed})}" for name in asked]
            if "{" in route.path:
                begin, _, rest = route.path.partition("{")
                end = rest.partition("}")[2]
                paths += [f"{begin}{quote(typed, safe='')}{end}", f"{begin}{quote(typed, safe='/')}{end}"]
            for path in paths:
                answer = walk.get(path, signed_in=True)
                if answer.status_code >= 500 or not shows_no_harm(answer):
                    wrong.append((path[:120], what, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize(
    "escape",
    [
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "..%5c..%5cetc%5cpasswd",
        "....//....//etc/passwd",
        "%252e%252e%252fetc%252fpasswd",
        "/etc/passwd",
        "..%00/etc/passwd",
        "mobigo.sqlite3",
        "../secret.key",
        "..%2fsecret.key",
    ],
)
def test_no_download_leads_out_of_its_folder(walk, site, escape):
    secret = (site.app.state.data_dir / "secret.key").read_text()
    for route in [*walk.routes, *site.app.routes]:
        path = getattr(route, "path", "")
        if "{" not in path or "GET" not in route.methods:
            continue
        begin, _, rest = path.partition("{")
        answer = walk.get(f"{begin}{escape}{rest.partition('}')[2]}", signed_in=True)
        assert answer.status_code in {303, 307, 400, 401, 404, 405}, path
        assert secret.strip() not in answer.text
        assert "root:x:0" not in answer.text


def test_no_page_is_framed_kept_or_read_as_something_else(walk):
    for path in walk.pages.values():
        if path in {"/openapi.json", "/health/live", "/health/ready", "/metrics"}:
            continue
        answer = walk.get(path, signed_in=True)
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, path
        assert "form-action 'self'" in policy, path
        assert {name: answer.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS, path
        if not path.startswith("/static/"):
            assert "public" not in answer.headers["cache-control"], path


def test_the_cookie_is_read_by_no_script_and_sent_from_no_other_site(new_site):
    for public_url, name, flags in (
        ("", "mobigo", {"HttpOnly", "SameSite=lax", "Path=/"}),
        ("https://mobigo.exemple.test", "__Host-mobigo", {"HttpOnly", "SameSite=lax", "Path=/", "Secure"}),
    ):
        state = new_site.app.state
        state.settings = state.settings.model_copy(update={"public_url": public_url})
        told = new_site.visitor().client.get("/connexion").headers["set-cookie"]
        value, *said = told.split("; ")
        assert value.startswith(f"{name}=f.")
        assert set(said) == flags
        assert "domain" not in told.lower()


@pytest.mark.parametrize("planted", ["s.a session that I know", "f.a browser that I know", "anything"])
def test_a_cookie_that_was_planted_is_not_the_one_of_who_signs_in(new_site, planted):
    new_site.people.add()
    visitor = new_site.visitor()
    visitor.client.cookies.set("mobigo", quote(planted))
    visitor.sign_in("camille@exemple.test")
    assert visitor.title == "Mon compte"
    (now,) = [each.value for each in visitor.client.cookies.jar if each.domain]
    assert now.startswith("s.")
    assert planted.removeprefix("s.") not in now


@pytest.mark.parametrize("days", [-4000, -1, 1, 4000, 700_000])
def test_a_clock_that_jumps_breaks_no_page(walk, site, days):
    cookie = walk.cookie(signed_in=True)
    site.clock.now = NOON + days * DAY
    for path in walk.pages.values():
        answer = walk.client.get(path, headers={"Cookie": f"mobigo={cookie}"})
        assert answer.status_code < 500, path
        assert answer.status_code != 200 or days < 1 or "Alix Martin" not in answer.text, path
    site.clock.now = NOON
    assert "Alix Martin" in walk.client.get("/compte", headers={"Cookie": f"mobigo={cookie}"}).text


def test_whatever_is_typed_into_a_field_is_text(walk, site):
    """Each field in turn, the others filled; then every page is looked at again, with what was kept on it."""
    wrong = []
    for found in walk.forms.values():
        for name in sorted(found.form.names - {"jeton"}):
            for what, typed in TYPED.items():
                answer = walk.send(found, filled(found) | {name: typed})
                if answer.status_code >= 500 or not shows_no_harm(answer):
                    wrong.append((str(found), name, what, answer.status_code))
        for raw in NO_LETTERS:
            answer = walk.send(found, min(found.form.names).encode() + b"=" + raw)
            if answer.status_code >= 500:
                wrong.append((str(found), raw, answer.status_code))
    assert wrong == []
    shown = [walk.get(path, signed_in=True) for path in walk.walk().pages.values()]
    assert all(map(shows_no_harm, shown))
    assert any("&lt;script&gt;alert(1337)" in page.text for page in shown)  # it was kept, and is shown as it was typed
    for letter in site.people.letters(site.clock.now):
        assert "\n" not in letter.contact.value + letter.subject
