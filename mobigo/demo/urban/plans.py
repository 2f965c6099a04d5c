"""The lines of each city by the places they join, and how often they run.

A line goes through named points: `gare` and `centre` of the city, or the centre of a
commune by its INSEE code. Between them its way is drawn, see `courses`.
"""

from __future__ import annotations

from dataclasses import dataclass

STATION, CENTRE = "gare", "centre"
TRAM, BUS = 0, 3


@dataclass(frozen=True, slots=True)
class UrbanLine:
    """A line of a city network."""

    code: str
    route_type: int
    via: tuple[str, ...]
    n_stops: int
    colour: str
    is_shuttle: bool = False


@dataclass(frozen=True, slots=True)
class City:
    """A city network."""

    source_id: str
    agency_id: str
    agency_name: str
    prefix: str  # of its ids
    insee_code: str  # of the commune at its centre
    uic8: str  # of its station
    lines: tuple[UrbanLine, ...]


DIJON = City(
    source_id="dijon-demo",
    agency_id="DIJON-DEMO",
    agency_name="Réseau urbain de Dijon",
    prefix="DIJ",
    insee_code="21231",
    uic8="87713040",
    lines=(
        UrbanLine("TA", TRAM, (STATION, CENTRE, "21540", "21515"), 18, "8A1538"),
        UrbanLine("TB", TRAM, ("21166", STATION, CENTRE, "21617", "21278"), 21, "1F3A93"),
        UrbanLine("B1", BUS, ("21617", STATION, CENTRE, "21355"), 19, "00665E"),
        UrbanLine("B2", BUS, ("21278", STATION, CENTRE, "21171"), 22, "9A3B00"),
        UrbanLine("B3", BUS, ("21485", STATION, CENTRE, "21540"), 20, "2F5D1E"),
        UrbanLine("B4", BUS, ("21390", "21166", STATION, CENTRE, "21515"), 24, "6B3D8F"),
        UrbanLine("B5", BUS, ("21355", CENTRE, STATION, "21003"), 18, "00538B"),
        UrbanLine("NC", BUS, (STATION, CENTRE), 5, "4A4A00", is_shuttle=True),
    ),
)

BESANCON = City(
    source_id="besancon-demo",
    agency_id="BESANCON-DEMO",
    agency_name="Réseau urbain de Besançon",
    prefix="BES",
    insee_code="25056",
    uic8="87718007",
    lines=(
        UrbanLine("T1", TRAM, ("25258", STATION, CENTRE, "25112"), 20, "7A1F5C"),
        UrbanLine("T2", TRAM, (STATION, CENTRE, "25058"), 14, "00538B"),
        UrbanLine("L3", BUS, ("25212", STATION, CENTRE, "25410"), 20, "2F5D1E"),
        UrbanLine("L4", BUS, ("25381", STATION, CENTRE, "25560"), 20, "9A3B00"),
        UrbanLine("L5", BUS, ("25454", STATION, CENTRE, "25532"), 22, "8A1538"),
        UrbanLine("L6", BUS, ("25036", CENTRE, STATION, "25112"), 18, "00665E"),
        UrbanLine("L7", BUS, ("25542", STATION, CENTRE), 16, "6B3D8F"),
    ),
)

CITIES = (DIJON, BESANCON)

WEEKDAY, SATURDAY, SUNDAY = "SEM", "SAM", "DIM"

_H = 3600
# (from, to, minutes between two departures); past 24:00 the night still belongs to the day before.
Headways = tuple[tuple[float, float, int], ...]
_TRAM_WEEK: Headways = (
    (5 * _H, 6.5 * _H, 12),
    (6.5 * _H, 9 * _H, 6),
    (9 * _H, 16 * _H, 8),
    (16 * _H, 19 * _H, 6),
    (19 * _H, 21 * _H, 12),
    (21 * _H, 24.5 * _H, 20),
)
_BUS_WEEK: Headways = (
    (5.5 * _H, 6.5 * _H, 20),
    (6.5 * _H, 9 * _H, 10),
    (9 * _H, 16 * _H, 15),
    (16 * _H, 19 * _H, 10),
    (19 * _H, 24.5 * _H, 20),
)
_TRAM_SATURDAY: Headways = ((5.5 * _H, 9 * _H, 15), (9 * _H, 19 * _H, 8), (19 * _H, 24.5 * _H, 20))
_BUS_SATURDAY: Headways = ((6 * _H, 9 * _H, 20), (9 * _H, 19 * _H, 15), (19 * _H, 24.5 * _H, 20))
_TRAM_SUNDAY: Headways = ((6 * _H, 13 * _H, 20), (13 * _H, 19 * _H, 15), (19 * _H, 24.5 * _H, 20))
_BUS_SUNDAY: Headways = ((7 * _H, 20 * _H, 30), (20 * _H, 24.5 * _H, 40))
HEADWAYS: dict[tuple[int, str], Headways] = {
    (TRAM, WEEKDAY): _TRAM_WEEK,
    (TRAM, SATURDAY): _TRAM_SATURDAY,
    (TRAM, SUNDAY): _TRAM_SUNDAY,
    (BUS, WEEKDAY): _BUS_WEEK,
    (BUS, SATURDAY): _BUS_SATURDAY,
    (BUS, SUNDAY): _BUS_SUNDAY,
}
SHUTTLE_HEADWAYS: Headways = ((7 * _H, 9.5 * _H, 10), (9.5 * _H, 16 * _H, 8), (16 * _H, 20 * _H, 10))
SHUTTLE_DAYS = (WEEKDAY, SATURDAY)

SPEED_M_S = {TRAM: 19 / 3.6, BUS: 17 / 3.6}  # stops included

# Names of stops that could be anywhere, with the English of those that mean something to a stranger.
STOP_NAMES = {
    name: english or None
    for name, _, english in (
        line.strip().partition("|")
        for line in """
    Abattoirs|
    Acacias|
    Alouettes|
    Amandiers|
    Ancienne Forge|
    Arsenal|
    Aubépines|
    Auditorium|Concert hall
    Beaux Sites|
    Belle Étoile|
    Bel Air|
    Bergerie|
    Bibliothèque|Library
    Blanchisserie|
    Bois Joli|
    Bosquet|
    Boucle|
    Boulodrome|
    Bourse du Travail|
    Bruyères|
    Capucines|
    Carrefour du Lac|
    Caserne|
    Cèdres|
    Champ de Foire|Fairground
    Charmilles|
    Châtaigniers|
    Château d'Eau|Water tower
    Cimetière|Cemetery
    Cité des Sports|Sports centre
    Cité Judiciaire|Law courts
    Clair Matin|
    Clinique|Clinic
    Clos Fleuri|
    Clos Marion|
    Collines|
    Conservatoire|Music school
    Corderie|
    Coteaux|
    Coquelicots|
    Croix Blanche|
    Croix du Sud|
    Deux Ponts|
    Docks|
    Écluse|Canal lock
    Écoles|Schools
    Église Neuve|New church
    Épinettes|
    Érables|
    Esplanade|
    Eaux Vives|
    Faïencerie|
    Fauvettes|
    Filature|
    Fontaine Bleue|
    Fontaine Ronde|
    Forum|
    Fossés|
    Genêts|
    Glacière|
    Grand Cèdre|
    Grand Large|
    Grand Verger|
    Grange Neuve|
    Gymnase|Gymnasium
    Halle aux Grains|Corn exchange
    Hameau du Bois|
    Haras|
    Hauts du Parc|
    Hêtres|
    Hippodrome|Racecourse
    Hirondelles|
    Hôpital|Hospital
    Horizons|
    Horlogers|
    Îlot des Arts|
    Imprimerie|
    Iris|
    Jardin Botanique|Botanical garden
    Jardins Ouvriers|
    Jasmins|
    Kiosque|
    Lavandières|
    Lavoir|
    Lilas|
    Lycée du Parc|
    Maison des Jeunes|Youth centre
    Maraîchers|
    Marché Couvert|Covered market
    Marronniers|
    Mésanges|
    Meunerie|
    Monument|
    Mouettes|
    Moulin à Vent|Windmill
    Moulin Neuf|
    Musée|Museum
    Noisetiers|
    Noyers|
    Observatoire|Observatory
    Orangerie|
    Orchidées|
    Orme Creux|
    Palais des Congrès|Congress centre
    Parc des Expositions|Exhibition park
    Passerelle|Footbridge
    Patinoire|Ice rink
    Pâquerettes|
    Peupliers|
    Petit Bois|
    Piscine|Swimming pool
    Place aux Fleurs|Flower market
    Platanes|
    Plein Ciel|
    Pont Neuf|
    Pont Tournant|Swing bridge
    Porte de la Ville|City gate
    Porte Verte|
    Poterie|
    Prairie|
    Pré aux Clercs|
    Primevères|
    Quai Fleuri|
    Quatre Vents|
    Ravelin|
    Remparts|City walls
    Résidence Universitaire|Student halls
    Rives du Canal|
    Roseraie|Rose garden
    Roches Grises|
    Rond-point du Lac|
    Sablière|
    Saules|
    Semailles|
    Source|
    Stade|Stadium
    Tennis|
    Théâtre|Theatre
    Tilleuls|
    Tour Carrée|
    Trois Fontaines|
    Tuilerie|
    Université|University
    Val Fleuri|
    Vallon|
    Verger|
    Vieux Puits|
    Vignes|
    Violettes|
    Voltigeurs|
    Zénith|
    """.strip().splitlines()
    )
}
