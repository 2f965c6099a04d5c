"""Plans: a small sector with a morning and an evening, drawn by hand; every number can be summed in the head."""

from scolaire.plans import Direction, Halt, Making, NotServed, Period, Rider, Run, SchoolPlan
from scolaire.pupils import FULL_DAYS, Level, School, Stop, StopStatus, VehicleType
from socle.geo import LatLon

HOUR = 3_600
VALDAHON = LatLon(47.150, 6.345)
COLLEGE = School("c1", "Collège de démonstration", VALDAHON, 8 * HOUR, 17 * HOUR, 300, 900, Level.COLLEGE, 2_700)
NURSERY = School("m1", "Maternelle #[fictive]", LatLon(47.152, 6.350), None, None, 0, 900, Level.NURSERY, 1_800)
STOPS = (
    Stop("s1", "Mairie", LatLon(47.161, 6.301), StopStatus.VALIDATED),
    Stop("s2", "Église d’Étalans", LatLon(47.171, 6.281), StopStatus.VALIDATED),
    Stop("s3", "Halle", LatLon(47.181, 6.261), StopStatus.VALIDATED),
)
COACH = VehicleType("car", 20, 1, 10_000, 100, 3_600, None, VALDAHON, "Lot A")
# six pupils of the collège wait at the Mairie, one at the Église, who has a sister in nursery school
RIDERS = (
    *(Rider(f"p{n}", 0, Level.COLLEGE) for n in range(1, 7)),
    Rider("p7", 0, Level.COLLEGE, wheelchair=True),
    Rider("petite", 1, Level.NURSERY),
    Rider("laissé", 0, Level.COLLEGE),
)
OUT = Run(
    "C001-M",
    "C001",
    0,
    0,
    (
        Halt(7 * HOUR, 7 * HOUR + 60, 600, 8_000, stop=1, up=(6, 7)),
        Halt(7 * HOUR + 660, 7 * HOUR + 720, 600, 9_000, stop=0, up=(0, 1, 2, 3, 4, 5)),
        Halt(7 * HOUR + 1_320, 7 * HOUR + 1_380, 600, 6_000, school=1, down=(7,)),
        Halt(7 * HOUR + 1_500, 7 * HOUR + 2_100, 120, 1_000, school=0, down=(0, 1, 2, 3, 4, 5, 6)),
    ),
    120,
    500,
)
BACK = Run(
    "C001-S",
    "C001",
    1,
    0,
    (
        Halt(17 * HOUR, 17 * HOUR + 60, 60, 500, school=0, up=(0, 1, 2, 3, 4, 5)),
        Halt(17 * HOUR + 1_060, 17 * HOUR + 1_080, 1_000, 20_000, stop=0, down=(0, 1, 2, 3, 4, 5)),
    ),
    320,
    2_000,
)
PLAN = SchoolPlan(
    "Valdahon",
    (COLLEGE, NURSERY),
    STOPS,
    (COACH,),
    RIDERS,
    (Period("matin", FULL_DAYS, Direction.TO_SCHOOL), Period("soir", FULL_DAYS, Direction.FROM_SCHOOL)),
    (OUT, BACK),
    (NotServed("laissé", "no_vehicle"),),
    Making(1, 100, mixed=True),
)
