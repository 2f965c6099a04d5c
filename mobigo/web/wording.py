"""Wording: dates, durations and quantities as French readers expect them.

Instants are shown in the time of Paris, on 24 hours. Rounding is always to the
traveller's safe side or to the nearest, and says which.
"""

from __future__ import annotations

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from mobigo.texts import all_texts, text
from routing.journeys.told import Reason
from socle.errors import Fact
from socle.money import Cents
from socle.times import PARIS

FRENCH = Locale("fr")
NBSP = "\u00a0"  # between a number and its unit; `mobigo.texts` binds the signs of sentences


def say(key: str, **facts: Fact) -> str:
    """The sentence `web.<key>` filled with `facts`."""
    return text(f"web.{key}", **facts)


def spelled_phone(number: str) -> str:
    """A telephone number as it is read aloud; one of France in its ten digits, two by two."""
    digits = f"0{number[3:]}" if number.startswith("+33") else number
    if len(digits) != 10 or not digits.isdigit():
        return number
    return "\N{NO-BREAK SPACE}".join(digits[n : n + 2] for n in range(0, 10, 2))


def say_count(key: str, n: int, **facts: Fact) -> str:
    """The sentence for `n` things: `web.<key>.zero` when there is one and n is 0, else by the French plural rule."""
    form = "zero" if n == 0 and f"web.{key}.zero" in all_texts() else FRENCH.plural_form(n)
    if f"web.{key}.{form}" not in all_texts():  # `many` (whole millions) reads like `other` here
        form = "other"
    return say(f"{key}.{form}", n=format_decimal(n, locale=FRENCH), **facts)


def reason_sentence(reason: Reason) -> str:
    """Why something is so, in French."""
    return text(f"reasons.{reason.code}", **reason.facts)


def _local(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, PARIS)


def clock(instant: int) -> str:
    """07:02."""
    return _local(instant).strftime("%H:%M")


def minute_after(instant: int) -> int:
    """`instant` itself at a whole minute, else the next one: when somebody has surely arrived."""
    return -(-instant // 60) * 60


def machine_time(instant: int) -> str:
    """2026-11-24T07:02:00+01:00, for `<time datetime>`."""
    return _local(instant).isoformat()


def moment(instant: datetime) -> str:
    """21 novembre 2026 à 13:05, in the time of Paris."""
    local = instant.astimezone(PARIS)
    return f"{format_date(local.date(), 'd MMMM y', locale=FRENCH)} à {local:%H:%M}".replace(" ", NBSP, 1)


def long_day(day: date) -> str:
    """Mardi 24 novembre 2026, in lower case as within a sentence."""
    return format_date(day, "EEEE d MMMM y", locale=FRENCH).replace(" ", NBSP, 1)


def short_day(day: date) -> str:
    """Mar. 24 nov., in lower case."""
    return format_date(day, "EEE d MMM", locale=FRENCH).replace(" ", NBSP)


def duration(seconds: int) -> str:
    """1 h 33, 12 min, to the nearest minute and never 0 for something that takes time."""
    minutes = (seconds + 30) // 60
    if minutes == 0 and seconds > 0:
        minutes = 1
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NBSP}h{NBSP}{minutes:02d}" if hours else f"{minutes}{NBSP}min"


def distance(metres: float) -> str:
    """450 m (to the nearest 10), 1,2 km."""
    if metres < 995:
        return f"{int(metres / 10 + 0.5) * 10}{NBSP}m"
    kilometres = metres / 1000
    return f"{format_decimal(kilometres, '#,##0.#' if kilometres < 100 else '#,##0', locale=FRENCH)}{NBSP}km"


_VOWELS = frozenset("aeiouyàâäéèêëîïôöùûühœæ")  # nearly every place in H- is mute in the region's names


def of(name: str) -> str:
    """`de` before a name, elided where French does: de Dijon, d’Autun."""
    return f"d’{name}" if name[:1].lower() in _VOWELS else f"de {name}"


def euros(cents: Cents) -> str:
    """An amount as a page tells it."""
    return str(format_currency(cents / 100, "EUR", locale=FRENCH))


def number(count: int) -> str:
    """1 234, with the spaces of French."""
    return str(format_decimal(count, locale=FRENCH))


def mass(grams: int) -> str:
    """850 g, 2,6 kg."""
    if grams < 1000:
        return f"{grams}{NBSP}g"
    return f"{format_decimal(grams / 1000, '#,##0.0', locale=FRENCH)}{NBSP}kg"


def month_name(month: str) -> str:
    """Mars 2026, in lower case as within a sentence."""
    return str(format_date(date.fromisoformat(f"{month}-01"), "MMMM y", locale=FRENCH))
