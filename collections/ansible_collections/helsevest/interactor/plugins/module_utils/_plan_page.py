# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as one page: a template with every value escaped, by the package `jinja2` that Ansible itself needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._domain import plan_view as view
from ._domain import plan_words as words
from ._domain.table import local_time

try:
    import jinja2
except ImportError as _error:
    JINJA2_IMPORT_ERROR: ImportError | None = _error
else:
    JINJA2_IMPORT_ERROR = None

HEADINGS = ("Site", "Name", "County", "EPJ", "Window", "Wave", "Upgrade", "Calls", "Notes")


def plan_page(template: Path, title: str, plan: Mapping[str, Any]) -> str:
    """The page of `plan`, as `template` has it; ImportError without jinja2, ValueError for a template that is wrong."""
    if JINJA2_IMPORT_ERROR is not None:
        raise ImportError(f"the page needs the Python package jinja2 ({JINJA2_IMPORT_ERROR})")
    # Ansible's own templating escapes nothing by itself; here nothing is forgotten.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    weeks, left_out = view.weeks(plan), view.left_out(plan)
    try:
        return environment.from_string(template.read_text(encoding="utf-8")).render(
            title=title,
            made=local_time(plan["made"], form="%d.%m.%Y"),
            span=words.span_line(plan),
            figures=words.figures(plan),
            lines=[words.status_line(plan), words.changed_line(plan)],
            changes=[words.change(one) for one in plan["changes"]],
            optimal=plan["status"] == "optimal",
            warnings=plan["warnings"],
            weeks=weeks,
            months=view.months(weeks),
            nights={night.day: night for week in weeks for night in week.nights},
            left_out=left_out,
            reasons=view.by_reason(left_out),
            headings=HEADINGS,
            weekdays=words.WEEKDAYS,
            short_day=words.short_day,
            long_day=words.long_day,
            counted=words.counted,
        )
    except jinja2.TemplateError as exc:
        raise ValueError(f"{template}: {type(exc).__name__}: {exc}") from exc
