# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Norway's public holidays, from the package `holidays`."""

from __future__ import annotations

from collections.abc import Iterable

from ._domain.calendar import Calendar

try:
    from holidays.countries.norway import Norway
except ImportError as _error:
    HOLIDAYS_IMPORT_ERROR: ImportError | None = _error
else:
    HOLIDAYS_IMPORT_ERROR = None


class MissingPackageError(RuntimeError):
    """A Python package that the controller needs is not installed."""


def norwegian_calendar(years: Iterable[int]) -> Calendar:
    """The calendar of `years` and their neighbours, so that the days around New Year are known too (U1).

    Raises MissingPackageError without the package `holidays`, ValueError for no years.
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
    return Calendar(frozenset(Norway(years=known, include_sundays=False, expand=False)), known)
