import pytest

from routing.streets.profiles import BICYCLE, CAR, PROFILES, WALK, WHEELCHAIR

BOTH, ALONG, AGAINST, NOT = "both", "along", "against", "not"


def way(profile, **tags):
    """Where a profile may go."""
    along, against = profile.speeds({key.replace("__", ":"): value for key, value in tags.items()})
    return {(True, True): BOTH, (True, False): ALONG, (False, True): AGAINST, (False, False): NOT}[
        along > 0, against > 0
    ]


def ways(**tags):
    """Walk, wheelchair, bicycle, car."""
    return tuple(way(profile, **tags) for profile in PROFILES)


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"highway": "residential"}, (BOTH, BOTH, BOTH, BOTH)),
        ({"highway": "residential", "oneway": "yes"}, (BOTH, BOTH, ALONG, ALONG)),
        ({"highway": "residential", "oneway": "-1"}, (BOTH, BOTH, AGAINST, AGAINST)),
        ({"highway": "residential", "oneway": "yes", "oneway__bicycle": "no"}, (BOTH, BOTH, BOTH, ALONG)),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, (BOTH, BOTH, BOTH, ALONG)),
        ({"highway": "tertiary", "junction": "roundabout"}, (BOTH, BOTH, ALONG, ALONG)),
        ({"highway": "motorway"}, (NOT, NOT, NOT, ALONG)),
        ({"highway": "motorway", "oneway": "no"}, (NOT, NOT, NOT, BOTH)),
        ({"highway": "trunk"}, (NOT, NOT, NOT, BOTH)),
        ({"highway": "trunk", "sidewalk": "both"}, (BOTH, BOTH, NOT, BOTH)),
        ({"highway": "trunk", "foot": "yes", "bicycle": "yes"}, (BOTH, BOTH, BOTH, BOTH)),
        ({"highway": "footway"}, (BOTH, BOTH, BOTH, NOT)),
        ({"highway": "footway", "bicycle": "no"}, (BOTH, BOTH, NOT, NOT)),
        ({"highway": "steps"}, (BOTH, NOT, NOT, NOT)),
        ({"highway": "steps", "ramp__wheelchair": "yes"}, (BOTH, BOTH, NOT, NOT)),
        ({"highway": "steps", "conveying": "forward"}, (ALONG, NOT, NOT, NOT)),
        ({"highway": "cycleway"}, (NOT, NOT, BOTH, NOT)),
        ({"highway": "cycleway", "foot": "yes"}, (BOTH, BOTH, BOTH, NOT)),
        ({"highway": "track"}, (BOTH, BOTH, BOTH, NOT)),
        ({"highway": "track", "motor_vehicle": "yes"}, (BOTH, BOTH, BOTH, BOTH)),
        ({"highway": "service", "access": "private"}, (NOT, NOT, NOT, NOT)),
        ({"highway": "service", "access": "private", "foot": "yes"}, (BOTH, BOTH, BOTH, NOT)),
        ({"highway": "service", "access": "customers"}, (BOTH, BOTH, BOTH, BOTH)),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, (BOTH, BOTH, BOTH, NOT)),
        ({"highway": "residential", "motorcar": "yes", "motor_vehicle": "no"}, (BOTH, BOTH, BOTH, BOTH)),
        ({"highway": "footway", "incline": "12%"}, (BOTH, NOT, BOTH, NOT)),
        ({"highway": "footway", "incline": "12%", "wheelchair": "yes"}, (BOTH, BOTH, BOTH, NOT)),
        ({"highway": "footway", "wheelchair": "no"}, (BOTH, NOT, BOTH, NOT)),
        ({"highway": "footway", "width": "0.7"}, (BOTH, NOT, BOTH, NOT)),
        ({"highway": "path", "smoothness": "horrible"}, (BOTH, NOT, BOTH, NOT)),
        ({"railway": "platform"}, (BOTH, BOTH, BOTH, NOT)),
        ({"railway": "rail"}, (NOT, NOT, NOT, NOT)),
        ({"highway": "construction"}, (NOT, NOT, NOT, NOT)),
        ({"highway": "no_such_street"}, (NOT, NOT, NOT, NOT)),
        ({"highway": "no_such_street", "access": "yes", "foot": "yes", "bicycle": "yes"}, (BOTH, BOTH, BOTH, NOT)),
        ({}, (NOT, NOT, NOT, NOT)),
    ],
)
def test_who_may_go_where(tags, told):
    assert ways(**tags) == told


def test_stairs_take_twice_as_long_as_the_level():
    level, stairs = (WALK.speeds({"highway": kind})[0] for kind in ("footway", "steps"))
    assert level == 1.2
    assert 1.9 < level / stairs < 2.1


def test_a_car_keeps_below_the_limit_and_below_what_its_street_is_made_for():
    def km_h(**tags):
        return round(CAR.speeds(tags)[0] * 3.6)

    assert km_h(highway="secondary") == 55
    assert km_h(highway="residential", maxspeed="30") == 24
    assert km_h(highway="motorway", maxspeed="130") == 104
    assert km_h(highway="residential", maxspeed="junk") == 25


@pytest.mark.parametrize(
    ("tags", "barred"),
    [
        ({"barrier": "bollard"}, {"car"}),
        ({"barrier": "gate"}, set()),
        ({"barrier": "gate", "access": "private"}, {"walk", "wheelchair", "bicycle", "car"}),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, {"bicycle", "car"}),
        ({"barrier": "lift_gate", "motor_vehicle": "private"}, {"car"}),
        ({"barrier": "stile"}, {"wheelchair", "bicycle", "car"}),
        ({"barrier": "cycle_barrier"}, {"wheelchair", "car"}),
        ({"barrier": "wall"}, {"walk", "wheelchair", "bicycle", "car"}),
        ({"barrier": "kerb", "kerb": "raised"}, {"wheelchair"}),
        ({"barrier": "kerb", "kerb": "lowered"}, set()),
        ({"barrier": "no_such_barrier"}, set()),
        ({"highway": "crossing"}, set()),
    ],
)
def test_whom_a_barrier_stops(tags, barred):
    assert {profile.name for profile in PROFILES if profile.is_barred_by(tags)} == barred


def test_a_rough_surface_slows_wheels():
    for profile in (WHEELCHAIR, BICYCLE):
        smooth = profile.speeds({"highway": "residential", "surface": "asphalt"})[0]
        rough = profile.speeds({"highway": "residential", "surface": "cobblestone"})[0]
        assert 0.4 * smooth < rough < 0.7 * smooth
