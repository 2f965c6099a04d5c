"""Values: columns of text as a producer writes them → columns of numbers, dates and times.

Text that is not what its column says becomes null, and the caller is told which
rows it was: what that means for the row is not decided here.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import numpy as np
import polars as pl
from numpy.typing import NDArray

from routing.gtfs.schema import Column, Kind, is_route_type
from socle.times import find_gtfs_time_s

_DTYPES: dict[Kind, type[pl.DataType]] = {
    Kind.DATE: pl.Date,
    Kind.TIME: pl.Int32,
    Kind.LOCAL_TIME: pl.Int32,
    Kind.LATITUDE: pl.Float64,
    Kind.LONGITUDE: pl.Float64,
    Kind.FLOAT: pl.Float64,
    Kind.INTEGER: pl.Int32,
    Kind.ENUM: pl.Int16,
}
_MOST_DEGREES = {Kind.LATITUDE: 90.0, Kind.LONGITUDE: 180.0}
_FORMS = {
    Kind.COLOR: r"^[0-9A-Fa-f]{6}$",
    Kind.URL: r"^(?i)https?://[^\s]+$",  # anything else would end up in a link of ours
    Kind.AMOUNT: r"^-?[0-9]+(\.[0-9]+)?$",
    Kind.CURRENCY: r"^[A-Z]{3}$",
    Kind.LANGUAGE: r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$",
}

# "00:00:00" as eight little-endian bytes: the characters of a time, exclusive-or this, are its digits
_ZERO_TIME = np.uint64(int.from_bytes(b"00:00:00", "little"))
_DIGIT_PLACES = np.uint64(int.from_bytes(bytes([0xF0, 0xF0, 0xFF, 0xF0, 0xF0, 0xFF, 0xF0, 0xF0]), "little"))
_SIX_MORE = np.uint64(int.from_bytes(bytes([6, 6, 0, 10, 6, 0, 10, 6]), "little"))  # tens of minutes stop at 5


def dtype_of(column: Column) -> type[pl.DataType]:
    """How the values of `column` are held in a Feed."""
    if column.kind is Kind.ENUM and column.table == "stop_times":
        return pl.Int8  # ten million rows
    return _DTYPES.get(column.kind, pl.String)


def clean_texts(texts: pl.Series) -> pl.Series:
    """`texts` without surrounding blanks, null where nothing is left."""
    bare = texts.str.strip_chars()
    return bare.set(bare == "", None) if (bare == "").any() else bare


def read_values(texts: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """The values written in clean `texts`, and a mask of the rows whose text is not such a value.

    A column that the CSV reader could already type is checked only.
    """
    values = _parse(texts, column)
    bad = texts.is_not_null() & values.is_null()
    outside = _outside(values, column)
    if outside is not None and outside.any():
        bad = bad | outside
        values = values.set(outside, None)
    return values, bad


def _parse(texts: pl.Series, column: Column) -> pl.Series:
    dtype = dtype_of(column)
    if texts.dtype != pl.String or column.kind in {Kind.ID, Kind.TEXT, Kind.EMAIL, Kind.PHONE}:
        return texts.cast(dtype)
    if column.kind in {Kind.TIME, Kind.LOCAL_TIME}:
        return read_times(texts)
    if column.kind is Kind.DATE:
        return texts.set(texts.str.contains(r"^[0-9]{8}$").not_(), None).str.to_date("%Y%m%d", strict=False)
    if column.kind is Kind.TIMEZONE:
        return texts.set(texts.is_in(_timezones()).not_(), None)
    form = _FORMS.get(column.kind)
    if form is not None:
        return texts.set(texts.str.contains(form).not_(), None)
    values = texts.cast(dtype, strict=False)
    return _whole_numbers(texts, values) if dtype.is_integer() else values


def _whole_numbers(texts: pl.Series, values: pl.Series) -> pl.Series:
    """`values`, and those that a program wrote as 1.0."""
    if values.null_count() == texts.null_count():
        return values
    floats = texts.cast(pl.Float64, strict=False)
    whole = floats.set(floats != floats.floor(), None)
    return whole.cast(values.dtype, strict=False)


def _outside(values: pl.Series, column: Column) -> pl.Series | None:
    """Mask of the values that their column does not allow, or None when it allows all."""
    if column.kind in _MOST_DEGREES:
        return (values.abs() > _MOST_DEGREES[column.kind]) | values.is_nan()
    if column.kind is Kind.AMOUNT and column.sign == "0+":
        return values.str.starts_with("-")
    if column.kind not in {Kind.FLOAT, Kind.INTEGER}:
        return None
    outside = None if column.kind is Kind.INTEGER else values.is_finite().not_()
    for sign, mask in (("0+", values < 0), ("+", values <= 0), ("!0", values == 0)):
        if column.sign == sign:
            outside = mask if outside is None else outside | mask
    return outside


def unexpected_options(values: pl.Series, column: Column) -> pl.Series | None:
    """Mask of enum values the reference does not know; None when the column is no enum."""
    if column.kind is not Kind.ENUM:
        return None
    if column.name == "route_type":
        unknown = [value for value in values.drop_nulls().unique() if not is_route_type(value)]
        return values.is_in(unknown)
    low, high = min(column.values), max(column.values)  # every enum of the reference is an interval
    return (values < low) | (values > high)


def read_times(texts: pl.Series) -> pl.Series:
    """Seconds of the service day of clean texts H:MM:SS, HH:MM:SS or HHH:MM:SS, null elsewhere."""
    packed = texts.cast(pl.Binary).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    other = packed.is_null() & texts.is_not_null()
    digits = packed.fill_null(0).to_numpy() ^ _ZERO_TIME
    # a place is right when its high half is zero, now and after adding what takes the digit 10 (or 6) over 15
    wrong = ((digits & _DIGIT_PLACES) | ((digits + _SIX_MORE) & _DIGIT_PLACES)) != 0
    seconds = pl.Series(texts.name, _seconds(digits), dtype=pl.Int32)
    unread = pl.Series(wrong)
    if unread.any():
        seconds = seconds.set(unread, None)
    if other.any():
        odd = texts.filter(other).unique()
        read = {text: find_gtfs_time_s(text) for text in odd}
        fixed = texts.set(other.not_(), None).replace_strict(read, default=None, return_dtype=pl.Int32)
        seconds = seconds.zip_with(other.not_(), fixed)
    return seconds


def _seconds(digits: NDArray[np.uint64]) -> NDArray[np.int32]:
    seconds = np.zeros(len(digits), np.int32)
    for place, worth in ((0, 36_000), (1, 3_600), (3, 600), (4, 60), (6, 10), (7, 1)):
        seconds += ((digits >> np.uint64(8 * place)) & np.uint64(15)).astype(np.int32) * np.int32(worth)
    return seconds


@cache
def _timezones() -> list[str]:
    return sorted(available_timezones())
