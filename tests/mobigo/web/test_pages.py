"""What the pages say, read as a text browser would: plain HTTP, no script."""

import html
import re
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest

from mobigo.app import make_app
from mobigo.settings import Settings
from socle.errors import Unavailable
from socle.times import PARIS
from tests.worlds.site import TUESDAY, serving

PAGES = [
    "/",
    "/itineraire",
    "/arrets",
    "/arrets?nom=Valdahon",
    "/accessibilite",
    "/donnees-personnelles",
    "/donnees",
    "/etat",
]
VOID = {"meta", "link", "input", "br", "circle", "path", "use", "rect"}


def search(origin, destination, **fields):
    fields = {"de": origin, "vers": destination, "jour": TUESDAY, "heure": "07:00"} | fields
    return f"/itineraire?{urlencode(fields)}"


class Reader(HTMLParser):
    """The words, the links and the elements of a page; complains about what does not close."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.words, self.links, self.open, self.n_elements, self.attributes = [], [], [], 0, []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.n_elements += 1
        self.attributes += [name for name, _ in attributes]
        self.links += [value for name, value in attributes if name == "href" and tag == "a"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"[\s\u00a0\u202f]+", " ", " ".join(self.words))


def read(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Reader(answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_french_and_says_that_the_data_are_invented(client, path):
    page = read(client, path)
    assert "Données de démonstration : les horaires, lignes de car et personnes sont fictifs." in page.text
    assert client.get(path).text.count('<html lang="fr">') == 1
    assert not {"style", "onclick", "onsubmit", "hx-on"} & set(page.attributes)


@pytest.mark.parametrize("path", [*PAGES, search("Pontarlier", "Besançon Viotte"), "/nulle-part"])
def test_no_page_has_an_inline_script_or_style(client, path):
    body = client.get(path).text
    assert re.search(r"<script(?![^>]*\ssrc=)", body) is None
    assert "<style" not in body
    assert not re.findall(
        r'(?:src|href)="(?:https?:)?//(?!www\.cnil\.fr|opendatacommons\.org|formulaire\.defenseurdesdroits\.fr)', body
    )


def test_a_search_shows_up_to_five_journeys_with_what_one_compares_them_by(client):
    page = read(client, search("Pontarlier", "Besançon Viotte"))
    assert "De Pontarlier à Besançon Viotte" in page.text
    assert "Partir le mardi 15 septembre 2026 après 07:00" in page.text
    journeys = [link for link in page.links if link.startswith("/trajet/")]
    assert 1 <= len(journeys) <= 6
    for words in ("Train", "de CO₂", "à pied", "en fauteuil", "Plus tôt", "Plus tard", "Trier par", "La carte en mots"):
        assert words in page.text


def test_sorting_changes_the_order_and_never_the_content(client):
    def journeys(**fields):
        page = read(client, search("Pontarlier", "Besançon", **fields))
        return [link for link in page.links if link.startswith("/trajet/")]

    by_time, by_walk, by_carbon = journeys(), journeys(tri="marche"), journeys(tri="co2")
    assert len(by_time) > 1
    assert sorted(by_time) == sorted(by_walk) == sorted(by_carbon)


def test_later_and_earlier_come_back_to_the_same_journeys(client):
    here = read(client, search("Pontarlier", "Besançon Viotte"))
    later = next(link for link in here.links if "page=LATER" in link)
    there = read(client, later)
    journeys = [link for link in there.links if link.startswith("/trajet/")]
    assert journeys
    assert not set(journeys) & {link for link in here.links if link.startswith("/trajet/")}
    back = read(client, next(link for link in there.links if "page=EARLIER" in link))
    assert {link for link in here.links if link.startswith("/trajet/")} & set(back.links)


def test_a_shared_link_restores_the_same_results(client):
    path = search("Pontarlier", "Besançon Viotte", sens="arrivee", fauteuil="oui", tri="co2")
    assert client.get(path).text == client.get(path).text


def test_a_fragment_is_a_part_of_the_page(client):
    path = search("Pontarlier", "Besançon Viotte")
    page = client.get(path)
    fragment = client.get(path, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert fragment.text.strip() in page.text
    assert "<html" not in fragment.text
    assert "HX-Request" in page.headers["vary"]
    whole = client.get(path, headers={"HX-Request": "true", "HX-Request-Type": "full"})
    assert whole.text == page.text


def test_a_journey_is_told_step_by_step(client):
    results = read(client, search("Pontarlier", "Besançon Viotte"))
    link = next(link for link in results.links if link.startswith("/trajet/"))
    page = read(client, link)
    for words in ("Étapes", "Montez", "Direction", "Descendez", "Vous êtes arrivé", "Total", "Légal", "Complet"):
        assert words in page.text
    assert f"{link}.ics" in page.links
    assert any(back.startswith("/itineraire?") for back in page.links)


def test_each_ride_of_a_journey_tells_what_could_take_its_place(client):
    results = read(client, search("Pontarlier", "Besançon Viotte"))
    link = next(link for link in results.links if link.startswith("/trajet/"))
    question = {"itineraryId": link.removeprefix("/trajet/"), "numLegAlternatives": 3}
    legs = client.get("/api/v6/refresh-itinerary", params=question).json()["legs"]
    ways = [way for leg in legs for way in leg.get("alternatives", ())]
    assert ways
    text = read(client, link).text
    for _, ride, _ in ways:
        local = datetime.fromisoformat(ride["startTime"]).astimezone(PARIS)
        assert f"{local:%H:%M} → " in text
        assert f"{ride['displayName']}, direction {ride['headsign']}." in text


def test_the_agenda_file_holds_the_journey(client):
    results = read(client, search("Pontarlier", "Besançon Viotte"))
    link = next(link for link in results.links if link.startswith("/trajet/"))
    answer = client.get(f"{link}.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "BEGIN:VEVENT" in answer.text
    told = answer.text.replace("\r\n ", "")
    assert "Besançon Viotte" in told
    assert "fictifs" in told


def test_each_ride_leads_to_the_departures_of_the_stop_where_it_begins(client):
    results = read(client, search("Pontarlier", "Besançon Viotte"))
    journey = read(client, next(link for link in results.links if link.startswith("/trajet/")))
    boards = [link for link in journey.links if link.startswith("/arret/")]
    assert boards
    for board in boards:
        heure = parse_qs(urlsplit(board).query)["heure"][0]
        assert heure in journey.text
        assert f"à partir de {heure}" in read(client, board).text


def test_a_journey_can_be_searched_again_from_its_page(client):
    results = read(client, search("Pontarlier", "Besançon Viotte"))
    link = next(link for link in results.links if link.startswith("/trajet/"))
    again = next(back for back in read(client, link).links if back.startswith("/itineraire?"))
    assert link in read(client, again).links


def test_the_board_of_a_station_shows_its_departures(client):
    stops = read(client, "/arrets?nom=Valdahon")
    stop = next(link for link in stops.links if link.startswith("/arret/"))
    page = read(client, f"{stop}?jour={TUESDAY}&heure=06:00")
    assert "Départs du mardi 15 septembre 2026 à partir de 06:00" in page.text
    assert "Train" in page.text
    assert "Inconnu : le producteur des données ne le dit pas." in page.text
    later = next(link for link in page.links if "heure=" in link and "sens" not in link)
    assert read(client, later).text != page.text


def test_the_pages_of_a_board_neither_lose_nor_repeat_a_departure(client):
    def times(path):
        return re.findall(r'<td class="time"><time datetime="([^"]+)"', client.get(path).text)

    stop = next(link for link in read(client, "/arrets?nom=Pontarlier").links if link.startswith("/arret/"))
    first = f"{stop}?jour={TUESDAY}&heure=06:00"
    later = next(link for link in read(client, first).links if "heure=" in link and "sens" not in link)
    back = next(link for link in read(client, later).links if "sens=avant" in link)
    assert times(first)[-1] < times(later)[0]
    assert times(back)[-1] == times(first)[-1]


def test_stops_are_found_around_a_point(client):
    page = read(client, "/arrets?autour=46.9060,6.3540")
    assert "Arrêts autour de vous" in page.text
    assert "Pontarlier" in page.text
    assert "Aucun arrêt connu" in read(client, "/arrets?autour=43.3,5.4", 404).text


def test_suggestions_are_the_names_of_places(client):
    answer = client.get("/lieux?champ=de&de=pontarl")
    assert '<option value="Pontarlier">' in answer.text
    assert client.get("/lieux?champ=de&de=p").text.strip() == ""


# --- bad input, tried as a new user would -----------------------------------------------------


def test_an_unknown_place_says_so_and_what_to_do(client):
    page = read(client, search("Zzyzx", "Pontarlier"), 404)
    assert "« Zzyzx » n’est ni une commune, ni un arrêt que nous connaissons." in page.text
    assert "Vérifiez l’orthographe" in page.text
    assert "#de" in page.links  # the summary leads to the field


def test_two_places_alike_are_a_choice_and_choosing_settles_it(client):
    page = read(client, search("Semur", "Pontarlier"))
    assert "Quel départ ?" in page.text
    choices = [link for link in page.links if "de_id=" in link]
    assert len(choices) >= 2
    settled = read(client, choices[0])
    assert "Quel départ ?" not in settled.text
    assert "De Semur-en-" in settled.text


def test_a_name_typed_over_a_choice_forgets_the_choice(client):
    chosen = search("Pontarlier", "Valdahon", de_id="commune:25056")  # the id of Besançon
    assert "De Pontarlier à" in read(client, chosen).text


def test_the_same_place_twice_is_refused_in_words(client):
    page = read(client, search("Pontarlier", "Pontarlier"), 400)
    assert "« Pontarlier » est à la fois votre départ et votre arrivée" in page.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"jour": "2031-01-01"}, "Les horaires connus vont du"),
        ({"jour": "hier"}, "« hier » n’est pas une date."),
        ({"heure": "midi"}, "« midi » n’est pas une heure."),
        ({"page": "LATER|demain"}, ""),
    ],
)
def test_a_moment_that_cannot_be_is_refused_in_words(client, fields, sentence):
    page = read(client, search("Pontarlier", "Valdahon", **fields), 400)
    assert sentence in page.text
    assert "Modifier la recherche" in page.text


def test_dates_and_hours_written_the_french_way_are_understood(client):
    page = read(client, search("Pontarlier", "Valdahon", jour="15/09/2026", heure="7h30"))
    assert "mardi 15 septembre 2026 après 07:30" in page.text


def test_an_empty_field_is_asked_for(client):
    page = read(client, "/itineraire?de=Pontarlier&vers=", 400)
    assert "Dites où vous allez" in page.text


def test_no_journey_is_said_with_what_to_try(client):
    page = read(client, search("Pontarlier", "Auxerre"))
    assert "Aucun trajet trouvé" in page.text
    assert "Essayez une autre heure ou un autre jour" in page.text
    assert any("page=LATER" in link for link in page.links)


def test_the_fields_can_be_swapped_without_a_script(client):
    page = client.get(search("Pontarlier", "Besançon Viotte", inverser="oui"))
    assert "De Besançon Viotte à Pontarlier" in html.unescape(page.text)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nulle-part", 404), ("/arret/inconnu", 404), ("/trajet/rien", 400), ("/static/site.css", 404)],
)
def test_what_does_not_exist_is_said_in_french_on_a_page(client, path, status):
    page = read(client, path, status)
    assert "Chercher un itinéraire" in page.text


def test_a_page_that_cannot_be_sent_to_says_so(client):
    answer = client.post("/itineraire")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "Cette page ne se demande pas ainsi." in Reader(answer.text).text


def test_what_is_typed_is_never_markup(client):
    body = client.get(search('<img src=x onerror="1">', "Pontarlier")).text
    assert "<img" not in body


def test_a_platform_has_its_own_page_and_board(client, sample):
    stop = next(stop for stop, parent in enumerate(sample.timetable.stop_parent) if parent >= 0)
    path = f"/arret/{quote(sample.stop_ids[stop], safe=':')}?jour={TUESDAY}&heure=06:00"
    page = read(client, path)
    assert "Départs du mardi 15 septembre 2026" in page.text


def test_without_a_network_every_page_says_so_and_the_declarations_stay(tmp_path):
    class NoNetwork:
        def current(self):
            raise Unavailable("no_network")

    app = make_app(NoNetwork(), Settings(_env_file=None, data_dir=tmp_path))
    with serving(app) as address, httpx.Client(base_url=address) as client:
        assert "Aucun réseau n’est chargé" in read(client, "/", 503).text
        assert client.get("/").headers["retry-after"] == "5"
        assert "Aucun réseau n’est chargé" in read(client, search("Pontarlier", "Morteau"), 503).text
        assert "la recherche ne peut pas répondre" in read(client, "/etat", 503).text
        assert "RGAA" in read(client, "/accessibilite").text


# --- how pages are sent -----------------------------------------------------------------------


def test_static_files_are_kept_for_ever_under_their_hash(client):
    href = re.search(r'href="(/static/site\.[0-9a-f]{10}\.css)"', client.get("/").text).group(1)
    answer = client.get(href)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert client.get(href, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", PAGES)
def test_pages_answer_head(client, path):
    answer = client.head(path)
    assert answer.status_code == 200
    assert answer.content == b""


def test_pages_carry_the_security_policy_and_no_cookie(client):
    answer = client.get("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


def test_no_page_is_larger_than_its_budget(client):
    heaviest = [search("Pontarlier", "Besançon"), search("Morteau", "Pontarlier"), *PAGES]
    for path in heaviest:
        assert read(client, path).n_elements <= 400, path
