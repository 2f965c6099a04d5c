import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from socle.geo import (
    LatLon,
    box_of_corners,
    distance_m,
    distances_m,
    from_lambert93,
    read_polyline,
    render_polyline,
    render_polyline_arrays,
    to_lambert93,
    to_lambert93_arrays,
)

DIJON, BESANCON = LatLon(47.3234, 5.0273), LatLon(47.247, 6.0219)
in_france = st.builds(LatLon, st.floats(42, 51), st.floats(-4, 8))
anywhere = st.builds(LatLon, st.floats(-90, 90), st.floats(-180, 180))

_TO_LAMBERT93 = Transformer.from_crs(4326, 2154)


@given(in_france)
def test_lambert93_agrees_with_proj_to_the_millimetre(place):
    assert to_lambert93(place) == pytest.approx(_TO_LAMBERT93.transform(*place), abs=0.001)
    assert from_lambert93(to_lambert93(place)) == pytest.approx(place, abs=1e-8)


@given(st.lists(in_france, min_size=1, max_size=20))
def test_lambert93_of_many_places_is_that_of_each(places):
    x, y = to_lambert93_arrays(np.array([at.lat for at in places]), np.array([at.lon for at in places]))
    for at, point in zip(places, zip(x, y, strict=True), strict=True):
        assert tuple(to_lambert93(at)) == pytest.approx(point, abs=1e-6)


@given(in_france, in_france)
def test_distances_stay_within_half_a_percent_of_the_ellipsoid(one, other):
    geodesic = Geod(ellps="GRS80").inv(one.lon, one.lat, other.lon, other.lat)[2]
    assert distance_m(one, other) == pytest.approx(geodesic, rel=0.005, abs=0.01)
    assert distances_m(*(float(value) for value in (*one, *other))) == pytest.approx(distance_m(one, other))


@given(st.lists(anywhere), st.sampled_from([5, 6, 7]))
def test_polylines_come_back_to_the_last_decimal(places, precision):
    back = read_polyline(render_polyline(places, precision), precision)
    assert len(back) == len(places)
    for place, again in zip(places, back, strict=True):
        assert again == pytest.approx(place, abs=0.51 * 10**-precision)


@given(st.lists(anywhere, max_size=30), st.integers(0, 7))
def test_polylines_of_arrays_are_those_of_places(places, precision):
    lat, lon = np.array([p.lat for p in places], np.float64), np.array([p.lon for p in places], np.float64)
    assert render_polyline_arrays(lat, lon, precision) == render_polyline(places, precision)


def test_the_published_example_of_the_polyline_format():
    places = [LatLon(38.5, -120.2), LatLon(40.7, -120.95), LatLon(43.252, -126.453)]
    assert render_polyline(places, 5) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@pytest.mark.parametrize("text", ["_", "_p~iF", "_p~iF~ps|U_"])
def test_a_truncated_polyline_is_refused(text):
    with pytest.raises(ValueError, match="truncated"):
        read_polyline(text, 5)


@given(in_france, in_france, in_france)
def test_a_box_does_not_mind_the_order_of_its_corners(one, other, place):
    box = box_of_corners(one, other)
    assert box == box_of_corners(other, one) == box_of_corners(LatLon(one.lat, other.lon), LatLon(other.lat, one.lon))
    assert box.holds(one)
    assert box.meets(box_of_corners(one, place))


def test_dijon_and_besancon_do_not_meet():
    assert not box_of_corners(DIJON, DIJON).meets(box_of_corners(BESANCON, BESANCON))
