# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback: what a preflight finds is recorded and told as it comes; a result with tables becomes tables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: site_table
type: aggregate
short_description: Record and tell a preflight as it comes, and print one row per site as a table
description:
  - Records what each host answers to the preflight as it comes, and prints one line per site when the last of its hosts
    in the play has answered. It does so for results that are registered as C(__preflight_result), in a run that has
    asked M(helsevest.interactor.site_gate) before. In check mode it prints the same and records nothing.
  - Where the result of a task, or a fact that it sets, is named C(site_table) and holds C(title) and C(rows), prints
    the rows as one table.
  - Where it is named C(site_lists) and holds a list of dictionaries with C(title), C(headings) and C(rows) (lists of
    texts), prints each as a table. Its last column wraps; on a narrow terminal all columns but the first are one.
  - Where it is named C(plan_calendar) and holds a plan of M(helsevest.interactor.site_plan), prints the plan by week
    and night, the sites left out, and how good it is.
  - The table is as wide as the terminal (or E(COLUMNS)), and 160 characters where there is none.
author:
  - The Interactor move project (@helsevest)
requirements:
  - enabling in configuration
  - rich
"""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.utils import color

from ..module_utils._domain.lists import list_sheets
from ..module_utils._domain.plan_sheets import plan_sheets
from ..module_utils._domain.table import Line, Sheet, site_line, site_sheet
from ..plugin_utils._site_rows import NotRecordedError, SiteRows

if TYPE_CHECKING:
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

STYLES = {"good": "green", "warn": "yellow", "bad": "bold red", "": ""}
COLOURS = {"good": "green", "warn": "yellow", "bad": "red", "": None}
GATE = "helsevest.interactor.site_gate"
MEASURED = "__preflight_result"
"""What a task registers whose results the role preflight records."""


def site_sheets(table: Mapping[str, Any], width: int) -> list[Sheet]:
    """The sheet of a `site_table`; AttributeError, KeyError, TypeError or ValueError if it is none."""
    return [site_sheet(str(table.get("title", "")), list(table["rows"]), width)]


SHOWN: Mapping[str, tuple[str, Callable[[Any, int], list[Sheet]]]] = {
    "site_table": ("table of sites", site_sheets),
    "site_lists": ("list of lists", list_sheets),
    "plan_calendar": ("plan", plan_sheets),
}
"""What is printed, by its name in a result or among its facts: what it is, and how it becomes sheets."""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "helsevest.interactor.site_table"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._rows = SiteRows(int(context.CLIARGS.get("forks") or 1))

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Know whose answers are to come."""
        self._rows.begin(lambda: play.get_variable_manager().get_vars(play=play)["ansible_play_hosts_all"])

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        """Wait no more for a host that is out of the play."""
        if not ignore_errors:
            self._tell(result, None)

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        """Wait no more for a host that is out of the play."""
        self._tell(result, None)

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Record and tell what a host answered; print what a task answered or set as a fact."""
        answer = result.result
        if MEASURED in _registered(result.task):
            self._tell(result, answer)
        elif result.task.action == GATE:
            self._rows.gate(result.task.args, answer)
        facts = answer.get("ansible_facts") or {}
        for name, (what, sheets_of) in SHOWN.items():
            if shown := answer.get(name) or facts.get(name):
                self._show(shown, what, sheets_of)

    def _tell(self, result: CallbackTaskResult, answer: Mapping[str, Any] | None) -> None:
        try:
            rows = self._rows.answered(result.host.name, answer, dry=bool(result.task.check_mode))
        except NotRecordedError as exc:
            self._display.warning(f"site_table: what hosts answer is recorded and told at the end only: {exc}")
            return
        for line in map(site_line, rows):
            self._display.display(line.text, color=COLOURS[line.tone])

    def _show(self, shown: object, what: str, sheets_of: Callable[[Any, int], list[Sheet]]) -> None:
        try:
            width = shutil.get_terminal_size(fallback=(160, 24)).columns
            sheets = sheets_of(shown, width)
            self._display.display(render(sheets, width, coloured=color.ANSIBLE_COLOR), screen_only=True)
            self._display.display(render(sheets, width, coloured=False), log_only=True)
        except ImportError as exc:
            self._display.warning(f"site_table: the table needs the Python package rich: {exc}")
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            # A table that cannot be shown must not look like a move that failed.
            self._display.warning(f"site_table: this is no {what}: {type(exc).__name__}: {exc}")


def _registered(task: Task) -> Collection[str]:
    """The names that a task's result goes by: one in ansible-core 2.19, later a mapping with them."""
    told = task.register
    return (told,) if isinstance(told, str) else told or ()


def render(sheets: Sequence[Sheet], width: int, *, coloured: bool) -> str:
    """The sheets as text of at most `width` characters a line; ImportError without rich."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = StringIO()
    colours = "standard" if coloured else None
    console = Console(file=out, width=width, force_terminal=coloured, color_system=colours, emoji=False)
    for sheet in sheets:
        table = Table(
            box=box.HORIZONTALS,
            padding=(0, 1, 0, 0),
            leading=int(sheet.leading),
            title=Text(sheet.title),
            title_justify="left",
            show_header=any(heading.text for heading in sheet.headings),
        )
        for heading in sheet.headings:
            free = heading.free
            table.add_column(Text(heading.text), no_wrap=not free, overflow="fold", min_width=12 if free else None)
        for section in sheet.sections:
            for cells in section:
                table.add_row(*(_text(lines) for lines in cells))
            table.add_section()
        if out.tell():
            console.print()
        if sheet.headings:
            console.print(table)
        if sheet.notes:
            console.print(_text(sheet.notes))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _text(lines: Sequence[Line]) -> Any:  # noqa: ANN401 - rich is imported only where a table is drawn
    from rich.text import Text

    return Text("\n").join(Text(line.text, style=STYLES[line.tone]) for line in lines)
