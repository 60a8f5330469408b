# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback: a task result with `site_table` or `site_lists` becomes tables on the terminal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: site_table
type: aggregate
short_description: Print one row per site as a table, and lists
description:
  - Where the result of a task, or a fact that it sets, is named C(site_table) and holds C(title) and C(rows), prints
    the rows as one table.
  - Where it is named C(site_lists) and holds a list of dictionaries with C(title), C(headings) and C(rows) (lists of
    texts), prints each as a table of its own. Its last column wraps; on a narrow terminal all columns but the first
    stand together. Without headings it is a list of names and texts.
  - A table is as wide as the terminal (or E(COLUMNS)), and 160 characters where there is none.
author:
  - The Interactor move project (@helsevest)
requirements:
  - enabling in configuration
  - rich
"""

import shutil
from collections.abc import Callable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from ansible.plugins.callback import CallbackBase
from ansible.utils import color

from ..module_utils._domain.table import WIDE, Line, cell, columns_for, summary

if TYPE_CHECKING:
    from ansible.executor.task_result import CallbackTaskResult

NARROW_BELOW = 120
PAIR = 2
STYLES = {"good": "green", "warn": "yellow", "bad": "bold red", "": ""}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "helsevest.interactor.site_table"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Print the tables that a task answered or set as a fact."""
        answer = result.result
        facts = answer.get("ansible_facts") or {}
        table = answer.get("site_table") or facts.get("site_table")
        if table:
            self._show("site_table: this is no table of sites", render, table)
        for each in answer.get("site_lists") or facts.get("site_lists") or ():
            self._show("site_lists: this is no list", render_list, each)

    def _show(self, complaint: str, draw: Callable[..., str], table: Mapping[str, Any]) -> None:
        try:
            width = shutil.get_terminal_size(fallback=(160, 24)).columns
            given = [
                str(table.get("title", "")),
                *(list(table[name]) for name in ("headings", "rows") if name in table),
            ]
            self._display.display(draw(*given, width, coloured=color.ANSIBLE_COLOR), screen_only=True)
            self._display.display(draw(*given, width, coloured=False), log_only=True)
        except ImportError as exc:
            self._display.warning(f"site_table: the table needs the Python package rich: {exc}")
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            # A table that cannot be shown must not look like a move that failed.
            self._display.warning(f"{complaint}: {type(exc).__name__}: {exc}")


def render(title: str, rows: list[Mapping[str, Any]], width: int, *, coloured: bool) -> str:
    """The table as text of at most `width` characters a line; ImportError without rich."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns = columns_for(width)
    table = Table(
        box=box.HORIZONTALS,
        padding=(0, 1, 0, 0),
        leading=int(columns is not WIDE),
        title=Text(title),
        title_justify="left",
        caption=Text(summary(rows)),
        caption_justify="left",
    )
    last = len(columns) - 1
    for place, column in enumerate(columns):
        free = place == last or "name" in column.parts
        table.add_column(Text(column.heading), no_wrap=not free, overflow="fold", min_width=12 if free else None)
    for row in rows:
        table.add_row(*(_text(cell(row, column)) for column in columns))
    return _printed(table, width, coloured=coloured)


def render_list(title: str, headings: list[str], rows: list[list[str]], width: int, *, coloured: bool) -> str:
    """A list of texts as a table of at most `width` characters a line; ImportError without rich."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if width < NARROW_BELOW and len(headings) > PAIR:
        rows = [[first, "\n".join(filter(None, (" · ".join(filter(None, rest)), last)))] for first, *rest, last in rows]
        headings = [headings[0], ""]
    table = Table(
        box=box.HORIZONTALS if any(headings) else None,
        padding=(0, 1, 0, 0),
        show_header=any(headings),
        title=Text(title, style="bold" if coloured else ""),
        title_justify="left",
    )
    for place, heading in enumerate(headings):
        last = place == len(headings) - 1
        table.add_column(Text(heading), no_wrap=not last, overflow="fold", min_width=24 if last else None)
    for row in rows:
        table.add_row(*(Text(str(text)) for text in row))
    return f"\n{_printed(table, width, coloured=coloured)}"


def _printed(table: Any, width: int, *, coloured: bool) -> str:  # noqa: ANN401 - rich is imported only where a table is drawn
    from rich.console import Console

    out = StringIO()
    colours = "standard" if coloured else None
    console = Console(file=out, width=width, force_terminal=coloured, color_system=colours, emoji=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _text(lines: list[Line]) -> Any:  # noqa: ANN401 - rich is imported only where a table is drawn
    from rich.text import Text

    return Text("\n").join(Text(line.text, style=STYLES[line.tone]) for line in lines)
