# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter: the rows of the sites as headings, cells and a summary, for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._domain.table import WIDE, cell, local_time, summary


def report_table(rows: Sequence[Mapping[str, Any]], as_of: str | None = None) -> dict[str, Any]:
    """Headings, cells as lists of lines with a tone, and the summary of `rows`; `as_of` in Oslo's time or None."""
    try:
        return {
            "headings": [column.heading for column in WIDE],
            "rows": [[[line._asdict() for line in cell(row, column)] for column in WIDE] for row in rows],
            "summary": summary(rows),
            "as_of": local_time(as_of, form="%d.%m.%Y") if as_of else None,
        }
    except (AttributeError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(f"report_table: these are no rows of sites: {type(exc).__name__}: {exc}") from exc


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {"report_table": report_table}
