"""Schema: every table and column of the GTFS Schedule reference (2026-06-05).

Typed below as text, one line per column:

    name  kind[:space|:values]  presence  [unit or sign]

Kinds: `key:x` is an id that defines the space x, `ref:x` an id that must exist in
it (`ref?:x`: an unknown one is emptied instead of setting the row apart, because
the row means something without it), `id:x` an id of a space that is defined by its
use. Presence: R required, C conditionally required, F conditionally forbidden,
S recommended ("should"), O optional; `R!` is required and the row means nothing
without it, `R~` is required by the reference but an empty value has a meaning.

The paragraph of the reference that defines a table is named after its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """Field types of the reference; `ID` covers keys and references."""

    ID = "id"
    TEXT = "text"
    URL = "url"
    EMAIL = "email"
    PHONE = "phone"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    COLOR = "color"
    CURRENCY = "currency"
    AMOUNT = "amount"  # kept as text: a price is never a float
    DATE = "date"
    TIME = "time"  # seconds of the service day
    LOCAL_TIME = "localtime"  # seconds of the wall clock
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    FLOAT = "float"
    INTEGER = "integer"
    ENUM = "enum"


class Presence(StrEnum):
    """Whether the reference asks for a file or a column."""

    REQUIRED = "required"
    CONDITIONAL = "conditionally required"
    FORBIDDEN = "conditionally forbidden"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Ids name the `space` they live in; `sign` is one of "", "+", "0+", "!0"."""

    table: str
    name: str
    kind: Kind
    presence: Presence
    essential: bool = False  # without it the row is set apart
    may_be_empty: bool = True
    space: str = ""
    defines: bool = False  # its values are the ids of the space
    refers: bool = False  # its values must be ids of the space
    emptied: bool = False  # an unknown reference is emptied, the row stays
    values: frozenset[int] = frozenset()
    unit: str = ""
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One file `name`.txt: its columns in the order of the reference, and its primary key.

    An empty `key` means that the file holds one row; "*" that all columns together are the key.
    """

    name: str
    presence: Presence
    key: tuple[str, ...]
    columns: Mapping[str, Column]

    @property
    def paragraph(self) -> str:
        """Address of the defining paragraph of the reference."""
        return f"https://gtfs.org/documentation/schedule/reference/#{self.name}txt"


_REFERENCE = """
agency R key agency_id
  agency_id                 key:agency      C
  agency_name               text            R
  agency_url                url             R
  agency_timezone           timezone        R
  agency_lang               language        O
  agency_phone              phone           O
  agency_fare_url           url             O
  agency_email              email           O
  cemv_support              enum:0-2        O
stops C key stop_id
  stop_id                   key:stop        R!
  stop_code                 text            O
  stop_name                 text            C
  tts_stop_name             text            O
  stop_desc                 text            O
  stop_lat                  latitude        C   degrees
  stop_lon                  longitude       C   degrees
  zone_id                   key:zone        O
  stop_url                  url             O
  location_type             enum:0-4        O
  parent_station            ref?:stop       C
  stop_timezone             timezone        O
  wheelchair_boarding       enum:0-2        O
  level_id                  ref?:level      O
  platform_code             text            O
  stop_access               enum:0-1        F
routes R key route_id
  route_id                  key:route       R!
  agency_id                 ref?:agency     C
  route_short_name          text            C
  route_long_name           text            C
  route_desc                text            O
  route_type                enum            R!
  route_url                 url             O
  route_color               color           O
  route_text_color          color           O
  route_sort_order          integer         O   0+
  continuous_pickup         enum:0-3        F
  continuous_drop_off       enum:0-3        F
  network_id                key:network     F
  cemv_support              enum:0-2        O
trips R key trip_id
  route_id                  ref:route       R!
  service_id                ref:service     R!
  trip_id                   key:trip        R!
  trip_headsign             text            O
  trip_short_name           text            O
  direction_id              enum:0-1        O
  block_id                  id:block        O
  shape_id                  ref?:shape      C
  wheelchair_accessible     enum:0-2        O
  bikes_allowed             enum:0-2        O
  cars_allowed              enum:0-2        O
  safe_duration_factor      float           O
  safe_duration_offset      float           O   s
stop_times R key trip_id stop_sequence
  trip_id                   ref:trip        R!
  arrival_time              time            C   s
  departure_time            time            C   s
  stop_id                   ref:stop        C
  location_group_id         ref:location_group  F
  location_id               ref:location    F
  stop_sequence             integer         R!  0+
  stop_headsign             text            O
  start_pickup_drop_off_window  time        C   s
  end_pickup_drop_off_window    time        C   s
  pickup_type               enum:0-3        F
  drop_off_type             enum:0-3        F
  continuous_pickup         enum:0-3        F
  continuous_drop_off       enum:0-3        F
  shape_dist_traveled       float           O   0+
  timepoint                 enum:0-1        O
  pickup_booking_rule_id    ref?:booking_rule  O
  drop_off_booking_rule_id  ref?:booking_rule  O
calendar C key service_id
  service_id                key:service     R!
  monday                    enum:0-1        R!
  tuesday                   enum:0-1        R!
  wednesday                 enum:0-1        R!
  thursday                  enum:0-1        R!
  friday                    enum:0-1        R!
  saturday                  enum:0-1        R!
  sunday                    enum:0-1        R!
  start_date                date            R!
  end_date                  date            R!
calendar_dates C key service_id date
  service_id                key:service     R!
  date                      date            R!
  exception_type            enum:1-2        R!
fare_attributes O key fare_id
  fare_id                   key:fare        R!
  price                     amount          R!  0+
  currency_type             currency        R
  payment_method            enum:0-1        R
  transfers                 enum:0-2        R~
  agency_id                 ref?:agency     C
  transfer_duration         integer         O   0+ s
fare_rules O key *
  fare_id                   ref:fare        R!
  route_id                  ref:route       O
  origin_id                 ref:zone        O
  destination_id            ref:zone        O
  contains_id               ref:zone        O
timeframes O key *
  timeframe_group_id        key:timeframe_group  R!
  start_time                localtime       C   s
  end_time                  localtime       C   s
  service_id                ref:service     R!
rider_categories O key rider_category_id
  rider_category_id         key:rider_category  R!
  rider_category_name       text            R
  is_default_fare_category  enum:0-1        R~
  eligibility_url           url             O
fare_media O key fare_media_id
  fare_media_id             key:fare_media  R!
  fare_media_name           text            O
  fare_media_type           enum:0-4        R!
fare_products O key fare_product_id rider_category_id fare_media_id
  fare_product_id           key:fare_product  R!
  fare_product_name         text            O
  rider_category_id         ref:rider_category  O
  fare_media_id             ref:fare_media  O
  amount                    amount          R!
  currency                  currency        R!
fare_leg_rules O key network_id from_area_id to_area_id from_timeframe_group_id to_timeframe_group_id fare_product_id
  leg_group_id              key:leg_group   O
  network_id                ref:network     O
  from_area_id              ref:area        O
  to_area_id                ref:area        O
  from_timeframe_group_id   ref:timeframe_group  O
  to_timeframe_group_id     ref:timeframe_group  O
  fare_product_id           ref:fare_product  R!
  rule_priority             integer         O   0+
fare_leg_join_rules O key from_network_id to_network_id from_stop_id to_stop_id
  from_network_id           ref:network     R!
  to_network_id             ref:network     R!
  from_stop_id              ref:stop        C
  to_stop_id                ref:stop        C
fare_transfer_rules O key from_leg_group_id to_leg_group_id fare_product_id transfer_count duration_limit
  from_leg_group_id         ref:leg_group   O
  to_leg_group_id           ref:leg_group   O
  transfer_count            integer         F   !0
  duration_limit            integer         O   + s
  duration_limit_type       enum:0-3        C
  fare_transfer_type        enum:0-2        R!
  fare_product_id           ref:fare_product  O
areas O key area_id
  area_id                   key:area        R!
  area_name                 text            O
stop_areas O key *
  area_id                   ref:area        R!
  stop_id                   ref:stop        R!
networks F key network_id
  network_id                key:network     R!
  network_name              text            O
route_networks F key route_id
  network_id                ref:network     R!
  route_id                  ref:route       R!
shapes O key shape_id shape_pt_sequence
  shape_id                  key:shape       R!
  shape_pt_lat              latitude        R!  degrees
  shape_pt_lon              longitude       R!  degrees
  shape_pt_sequence         integer         R!  0+
  shape_dist_traveled       float           O   0+
frequencies O key trip_id start_time
  trip_id                   ref:trip        R!
  start_time                time            R!  s
  end_time                  time            R!  s
  headway_secs              integer         R!  + s
  exact_times               enum:0-1        O
transfers O key from_stop_id to_stop_id from_trip_id to_trip_id from_route_id to_route_id
  from_stop_id              ref:stop        C
  to_stop_id                ref:stop        C
  from_route_id             ref:route       O
  to_route_id               ref:route       O
  from_trip_id              ref:trip        C
  to_trip_id                ref:trip        C
  transfer_type             enum:0-5        R~
  min_transfer_time         integer         O   0+ s
pathways O key pathway_id
  pathway_id                key:pathway     R!
  from_stop_id              ref:stop        R!
  to_stop_id                ref:stop        R!
  pathway_mode              enum:1-7        R!
  is_bidirectional          enum:0-1        R!
  length                    float           O   0+ m
  traversal_time            integer         O   + s
  stair_count               integer         O
  max_slope                 float           O
  min_width                 float           O   + m
  signposted_as             text            O
  reversed_signposted_as    text            O
levels O key level_id
  level_id                  key:level       R!
  level_index               float           R!
  level_name                text            O
location_groups O key location_group_id
  location_group_id         key:location_group  R!
  location_group_name       text            O
location_group_stops O key *
  location_group_id         ref:location_group  R!
  stop_id                   ref:stop        R!
booking_rules O key booking_rule_id
  booking_rule_id           key:booking_rule  R!
  booking_type              enum:0-2        R!
  prior_notice_duration_min integer         C   min
  prior_notice_duration_max integer         F   min
  prior_notice_last_day     integer         C   days
  prior_notice_last_time    time            C   s
  prior_notice_start_day    integer         F   days
  prior_notice_start_time   time            C   s
  prior_notice_service_id   ref?:service    F
  message                   text            O
  pickup_message            text            O
  drop_off_message          text            O
  phone_number              phone           O
  info_url                  url             O
  booking_url               url             O
translations O key table_name field_name language record_id record_sub_id field_value
  table_name                text            R!
  field_name                text            R!
  language                  language        R!
  translation               text            R!
  record_id                 id:record       C
  record_sub_id             id:subrecord    C
  field_value               text            C
feed_info S key
  feed_publisher_name       text            R
  feed_publisher_url        url             R
  feed_lang                 language        R
  default_lang              language        O
  feed_start_date           date            S
  feed_end_date             date            S
  feed_version              text            S
  feed_contact_email        email           O
  feed_contact_url          url             O
attributions O key attribution_id
  attribution_id            key:attribution O
  agency_id                 ref:agency      O
  route_id                  ref:route       O
  trip_id                   ref:trip        O
  organization_name         text            R
  is_producer               enum:0-1        O
  is_operator               enum:0-1        O
  is_authority              enum:0-1        O
  attribution_url           url             O
  attribution_email         email           O
  attribution_phone         phone           O
"""

_PRESENCES = {
    "R": Presence.REQUIRED,
    "C": Presence.CONDITIONAL,
    "F": Presence.FORBIDDEN,
    "S": Presence.RECOMMENDED,
    "O": Presence.OPTIONAL,
}


def _column(table: str, line: str) -> Column:
    name, kind, presence, *marks = line.split()
    kind, _, detail = kind.partition(":")
    is_id = kind in {"key", "ref", "ref?", "id"}
    first, _, last = detail.partition("-")
    return Column(
        table=table,
        name=name,
        kind=Kind.ID if is_id else Kind(kind),
        presence=_PRESENCES[presence[0]],
        essential=presence.endswith("!"),
        may_be_empty=not presence.startswith("R") or presence.endswith("~"),
        space=detail if is_id else "",
        defines=kind == "key",
        refers=kind in {"ref", "ref?"},
        emptied=kind == "ref?",
        values=frozenset(range(int(first), int(last) + 1)) if kind == "enum" and detail else frozenset(),
        unit=next((mark for mark in marks if mark.isalpha()), ""),
        sign=next((mark for mark in marks if not mark.isalpha()), ""),
    )


def _tables(reference: str) -> Mapping[str, Table]:
    tables: dict[str, Table] = {}
    columns: dict[str, Column] = {}
    for line in reference.strip().splitlines():
        if line.startswith(" "):
            column = _column(next(reversed(tables)), line)
            columns[column.name] = column
            continue
        name, presence, _, *key = line.split()
        columns = {}
        tables[name] = Table(name, _PRESENCES[presence], tuple(key), MappingProxyType(columns))
    return MappingProxyType(tables)


TABLES: Final = _tables(_REFERENCE)

# The names under which drafts of the reference published a column, per table.
FORMER_NAMES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "stop_times": {
            "start_pickup_dropoff_window": "start_pickup_drop_off_window",
            "end_pickup_dropoff_window": "end_pickup_drop_off_window",
        },
    }
)

LOCATIONS_FILE: Final = "locations.geojson"  # zones of demand-responsive service, ids of the space "location"

_BASE_ROUTE_TYPES: Final = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 11, 12})


def is_route_type(value: int) -> bool:
    """Whether `value` is a mode of the reference or of its extension by hundreds (100 to 1799)."""
    return value in _BASE_ROUTE_TYPES or 100 <= value < 1800


def columns_of_space(space: str) -> list[Column]:
    """Every column whose values are ids of `space`, the defining ones first."""
    found = [column for table in TABLES.values() for column in table.columns.values() if column.space == space]
    return sorted(found, key=lambda column: not column.defines)
