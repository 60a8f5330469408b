# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cell of a table means and how it is written: Norwegian dates and words, and what Excel makes of them.

A cell comes as text, number, truth, date or time. Each kind of column reads it to the register's plain data or raises
CellError; what it writes, it reads back to the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .window import WEEKDAYS

Cell = str | int | float | bool | datetime | date | time

_DAY = r"(?:[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2})"
_SPAN = re.compile(rf"({_DAY}|[0-9]{{1,2}}\.[0-9]{{1,2}}\.)\s*(?:–|—|-|til)\s*({_DAY})")
_CLOCK = r"([0-9]{1,2})(?:[.:]([0-9]{2}))?(?::00)?"
_WINDOW = re.compile(rf"(?:kl\.?\s*)?{_CLOCK}\s*(?:–|—|-|til)\s*(?:kl\.?\s*)?{_CLOCK}")
_NEVER = ("ingen", "aldri")
# Excel's day 60 is a 29 February 1900 that never was, so that its later days count from one day earlier.
_DAY_ZERO = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_SERIALS = (date(2000, 1, 1), date(2099, 12, 31))
_DAYS_NB = ("man", "tir", "ons", "tor", "fre", "lør", "søn")
_DAY_WORDS = {
    **dict(zip(WEEKDAYS, WEEKDAYS, strict=True)),
    **dict(zip(_DAYS_NB, WEEKDAYS, strict=True)),
    **dict(zip(("måndag", "tysdag", "onsdag", "torsdag", "fredag", "laurdag", "sundag"), WEEKDAYS, strict=True)),
    **dict(zip(("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"), WEEKDAYS, strict=True)),
}


class CellError(ValueError):
    """A cell that cannot be read: what is wrong, and what is allowed."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


@dataclass(frozen=True)
class Kind:
    """One kind of column. `read` takes a cell and whether the workbook counts days from 1904."""

    allowed: str
    read: Callable[[Cell, bool], object]
    write: Callable[[object], Cell]
    words: tuple[str, ...] = ()
    text: bool = False


def clean(cell: Cell | None) -> Cell | None:
    """A cell without the blanks around it, None for an empty one; a blank that does not break is a blank."""
    if not isinstance(cell, str):
        return cell
    return re.sub(r"[^\S\n]", " ", cell.replace("\r\n", "\n")).strip(" \n\u200b\ufeff") or None


def _shown(cell: Cell) -> str:
    """A number as the digits that a person typed."""
    if isinstance(cell, bool | datetime | date | time):
        raise CellError(
            "is no text; Excel has made something else of it", "text: format the cell as text and type it again"
        )
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _text(cell: Cell, _mac: bool) -> str:
    text = _shown(cell)
    if isinstance(cell, float) and not cell.is_integer():
        raise CellError("is a number with decimals where text is expected", "text: format the cell as text")
    return text


def _whole(cell: Cell, _mac: bool) -> int:
    text = _shown(cell)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise CellError("is no whole number", "a whole number")
    return int(text)


def _phone(cell: Cell, _mac: bool) -> str:
    allowed = "digits, with + or 00 before a foreign number: format the cell as text and type it again"
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        digits = _shown(cell)
        # A number has lost its + or its zeros; only these two lengths leave no doubt.
        if re.fullmatch(r"[2-9][0-9]{7}", digits):
            return digits
        if re.fullmatch(r"47[2-9][0-9]{7}", digits):
            return f"+{digits}"
        raise CellError("is a number, and Excel may have cut + or zeros from it", allowed)
    text = _shown(cell).removeprefix("'")
    if re.search(r"[0-9][eE]\+?[0-9]+$", text):
        raise CellError("is a number that Excel has shortened, so that digits are lost", allowed)
    return text


def same_phone(one: str, other: str) -> bool:
    """Whether two texts are the same phone number, with or without the country's code and blanks."""

    def digits(text: str) -> str:
        bare = re.sub(r"^00", "+", text.replace(" ", ""))
        return (
            f"+47{bare}"
            if re.fullmatch(r"[2-9][0-9]{7}", bare)
            else f"+{bare}"
            if re.fullmatch(r"47[0-9]{8}", bare)
            else bare
        )

    return digits(one) == digits(other)


def _day(text: str) -> date:
    allowed = "a date as 2.12.2026"
    if not re.fullmatch(_DAY, text):
        raise CellError("is no date", allowed)
    try:
        if "-" in text:
            return date.fromisoformat(text)
        day, month, year = map(int, text.split("."))
        return date(year, month, day)
    except ValueError:
        raise CellError("is a date that does not exist", allowed) from None


def serial_day(number: int, mac: bool) -> date:
    """The day that Excel's serial number means; CellError for one that is no day of this century."""
    if number > 99999 or not _SERIALS[0] <= (day := _DAY_ZERO[mac] + timedelta(number)) <= _SERIALS[1]:
        raise CellError("is a number and no day from 2000 to 2099", "a date as 2.12.2026")
    return day


def _date(cell: Cell, mac: bool) -> date:
    if isinstance(cell, datetime):
        if cell.time() != time(0):
            raise CellError("is a date with a time of day", "a date as 2.12.2026")
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool | time):
        raise CellError("is no date", "a date as 2.12.2026")
    text = re.sub(r"[ T]00[:.]00([:.]00)?$", "", _shown(cell))
    return serial_day(int(text), mac) if re.fullmatch(r"[0-9]{5}", text) else _day(text)


def _clock(hours: str, minutes: str | None) -> str:
    if int(hours) > 23 or int(minutes or 0) > 59:
        raise CellError("is no time of day", "a time as 20:00")
    return f"{int(hours):02}:{minutes or '00'}"


def _time(cell: Cell, _mac: bool) -> str:
    if isinstance(cell, datetime | time):
        at = cell.time() if isinstance(cell, datetime) else cell
        return f"{at:%H:%M}"
    if isinstance(cell, float) or (isinstance(cell, str) and re.fullmatch(r"0[.,][0-9]{3,}", cell)):
        minutes = round(float(str(cell).replace(",", ".")) * 1440)
        if 0 <= minutes < 1440:
            return f"{minutes // 60:02}:{minutes % 60:02}"
    found = None if isinstance(cell, bool | date) else re.fullmatch(rf"(?:kl\.?\s*)?{_CLOCK}", str(cell))
    if not found:
        raise CellError("is no time of day", "a time as 20:00")
    return _clock(*found.groups())


def _window(cell: Cell, _mac: bool) -> dict[str, str]:
    found = _WINDOW.fullmatch(cell) if isinstance(cell, str) else None
    if not found:
        raise CellError("is no window", "two times as 20:00–06:00")
    first, first_minutes, last, last_minutes = found.groups()
    return {"from": _clock(first, first_minutes), "to": _clock(last, last_minutes)}


def _closed(cell: Cell, mac: bool) -> list[dict[str, date]]:
    if isinstance(cell, str) and cell.casefold() in _NEVER:
        return []
    if not isinstance(cell, str):
        day = _date(cell, mac)
        return [{"from": day, "to": day}]
    return [_span(part.strip()) for part in re.split(r"[;\n]", cell) if part.strip()]


def _span(text: str) -> dict[str, date]:
    if re.fullmatch(_DAY, text):
        return {"from": _day(text), "to": _day(text)}
    found = _SPAN.fullmatch(text)
    if not found:
        raise CellError("is no period", "periods as 5.7.2027–25.7.2027; 24.12.2027–2.1.2028, or: ingen")
    first, last = found.groups()
    until = _day(last)
    since = _day(f"{first}{until.year:04}" if first.endswith(".") else first)
    if since > until:
        raise CellError("has a period that ends before it begins", "periods as 24.12.2027–2.1.2028")
    return {"from": since, "to": until}


def _weekdays(cell: Cell, _mac: bool) -> list[str]:
    text = cell.casefold() if isinstance(cell, str) else ""
    if text in ("alle", "alle dager", "alle dagar"):
        return list(WEEKDAYS)
    if text in ("hverdager", "kvardagar", "ukedager", "vekedagar"):
        return list(WEEKDAYS[:5])
    days: list[str] = []
    for part in re.split(r"\s*(?:[,;\n]|\bog\b)\s*", text):
        ends = [_DAY_WORDS.get(word.rstrip(".")) for word in re.split(r"\s*(?:–|—|-|\btil\b)\s*", part)]
        if None in ends or len(ends) > 2:
            raise CellError("are no weekdays", "days as man–tor, or man, ons, or: alle dager")
        first, last = (WEEKDAYS.index(str(end)) for end in (ends[0], ends[-1]))
        days += [WEEKDAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)]
    return days


def words(known: Mapping[str, Sequence[str]], meant: Mapping[str, object] | None = None) -> Kind:
    """A column that holds one of some words: the register's, each with its Norwegian ones, the first to write."""
    by_word = {word: key for key, also in known.items() for word in (key, *also)}
    first = {key: also[0] for key, also in known.items()}
    allowed = ", ".join(first.values())
    value_of = meant or {key: key for key in known}
    key_of = {value: key for key, value in value_of.items()}

    def read(cell: Cell, _mac: bool) -> object:
        text = " ".join(_shown(int(cell) if isinstance(cell, bool) else cell).casefold().split())
        if text not in by_word:
            raise CellError("is not a word that is known here", allowed)
        return value_of[by_word[text]]

    return Kind(allowed, read, lambda value: first[key_of[value]], words=tuple(first.values()))


def norwegian_day(day: object) -> str:
    """A date, or its ISO text, as `2.12.2026`."""
    day = _iso(day)
    return f"{day.day}.{day.month}.{day.year:04}"


def _iso(day: object) -> date:
    return day if isinstance(day, date) else date.fromisoformat(str(day))


def _written_closed(value: object) -> str:
    spans = value if isinstance(value, list) else []
    return "; ".join(f"{norwegian_day(span['from'])}–{norwegian_day(span['to'])}" for span in spans) or _NEVER[0]


def _written_days(value: object) -> str:
    days = list(value) if isinstance(value, list) else []
    if days == list(WEEKDAYS):
        return "alle dager"
    return ", ".join(_DAYS_NB[WEEKDAYS.index(day)] for day in days)


TEXT = Kind("text", _text, str, text=True)
PHONE = Kind("digits, with + or 00 before a foreign number", _phone, str, text=True)
WHOLE = Kind("a whole number", _whole, lambda value: int(str(value)))
DATE = Kind("a date as 2.12.2026", _date, _iso)
TIME = Kind("a time as 20:00", _time, str)
WINDOW = Kind("two times as 20:00–06:00", _window, str)
CLOSED = Kind("periods as 5.7.2027–25.7.2027; 24.12.2027–2.1.2028; ingen: never closed", _closed, _written_closed)
DAYS = Kind("days as man–tor, or man, ons, or: alle dager", _weekdays, _written_days)
YES_NO = words(
    {"yes": ("ja", "j", "x", "true", "sann", "1"), "no": ("nei", "n", "false", "usann", "0")},
    {"yes": True, "no": False},
)
