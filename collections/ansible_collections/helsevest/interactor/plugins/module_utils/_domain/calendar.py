# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Working days: neither weekends nor public holidays (U1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

HalfDay = Literal["easter_wednesday", "christmas_eve", "new_years_eve"]
"""Days on which Norwegian offices close at noon; the register says which of them count as days off."""
HALF_DAYS: tuple[HalfDay, ...] = get_args(HalfDay)

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """The public holidays of `years`; without years it is trusted for any day."""

    holidays: frozenset[date]
    years: frozenset[int] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`; ValueError for a day of a year whose holidays are not known."""
        if self.years and day.year not in self.years:
            raise ValueError(
                f"calendar: {day} is outside {min(self.years)} to {max(self.years)}, whose holidays are known"
            )
        return day.weekday() < _SATURDAY and day not in self.holidays

    def last_working_day_before(self, day: date) -> date:
        """The nearest working day earlier than `day` (U1)."""
        return self._nearest(day, -_DAY)

    def next_working_day_after(self, day: date) -> date:
        """The nearest working day later than `day` (P6: the contact's day)."""
        return self._nearest(day, _DAY)

    def _nearest(self, day: date, step: timedelta) -> date:
        day += step
        while not self.is_working_day(day):
            day += step
        return day


def half_days(words: Iterable[str]) -> frozenset[HalfDay]:
    """The half days that `words` name; ValueError tells every word that is none."""
    wanted = [words] if isinstance(words, str) else list(words)
    unknown = [word for word in wanted if word not in HALF_DAYS]
    if unknown:
        raise ValueError(f"half_days_off: {', '.join(map(repr, unknown))}; allowed: {', '.join(HALF_DAYS)}")
    return frozenset(day for day in HALF_DAYS if day in wanted)
