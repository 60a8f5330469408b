# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Norway's public holidays, from the package `holidays`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from ._domain.calendar import HALF_DAYS, Calendar, HalfDay, half_days

try:
    from dateutil.easter import easter
    from holidays.countries.norway import Norway
except ImportError as _error:
    HOLIDAYS_IMPORT_ERROR: ImportError | None = _error
else:
    HOLIDAYS_IMPORT_ERROR = None


class MissingPackageError(RuntimeError):
    """A Python package that the controller needs is not installed."""


def half_day(name: HalfDay, year: int) -> date:
    """The day of `year` that is meant by `name`."""
    match name:
        case "easter_wednesday":
            return easter(year) - timedelta(days=4)
        case "christmas_eve":
            return date(year, 12, 24)
        case "new_years_eve":
            return date(year, 12, 31)


def norwegian_calendar(years: Iterable[int], half_days_off: Iterable[str] | None = None) -> Calendar:
    """The calendar of `years` and their neighbours, so that the days around New Year are known too (U1).

    `half_days_off` are those of HALF_DAYS that count as days off; all of them when it is None.
    Raises MissingPackageError without the package `holidays`, ValueError for no years or for words that are not known.
    """
    if HOLIDAYS_IMPORT_ERROR:
        raise MissingPackageError(
            "the Python package 'holidays' is needed on the controller (make setup installs it): "
            f"{HOLIDAYS_IMPORT_ERROR}"
        ) from HOLIDAYS_IMPORT_ERROR
    known = frozenset(year + offset for year in years for offset in (-1, 0, 1))
    if not known:
        raise ValueError("calendar: no years; one or more are wanted")
    # Sundays are no working days by their weekday; here they would only hide which days are holidays of their own.
    public = Norway(years=known, include_sundays=False, expand=False)
    names = HALF_DAYS if half_days_off is None else half_days(half_days_off)
    return Calendar(frozenset(public) | {half_day(name, year) for name in names for year in known}, known)
