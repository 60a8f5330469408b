# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_plan does: register and settings in, a plan out; its module and its action plugin call it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.plan_answer import SCHEMA, plan_of
from ._domain.plan_case import Case, Previous, Standpoint, without_lost_waves
from ._domain.plan_check import violations
from ._domain.plan_problem import question_of
from ._domain.plan_settings import read_settings
from ._domain.plan_waves import Wave
from ._domain.site import Site
from ._domain.window import OSLO
from ._gate import ARGUMENT_SPEC as GATE_SPEC
from ._gate import described_modes
from ._holidays import MissingPackageError, norwegian_calendar
from ._ortools import check_package
from ._relaxation import FlowError
from ._solver import SolverError, solve

ARGUMENT_SPEC: dict[str, Any] = {
    "sites": GATE_SPEC["sites"],
    "waves": {"type": "list", "elements": "dict", "default": []},
    "calendar": {"type": "dict"},
    "contract": GATE_SPEC["contract"],
    "states": {"type": "dict", "default": {}},
    "settings": {"type": "dict", "default": {}},
    "previous": {"type": "path"},
    "clock_url": {"type": "str"},
}


class PlanError(Exception):
    """There is no plan; the text is for the person who asked for one."""


def answer(params: dict[str, Any]) -> dict[str, Any]:
    """Make a plan (docs/contracts.md, The plan) and look at it a second time.

    Raises PlanError when the clock, a package, a file or the input is at fault, or a plan breaks a rule.
    """
    try:
        check_package()
        case, register = read_case(params, clock_now(params["clock_url"]))
        question = question_of(case)
        plan = plan_of(case, question, solve(question.problem, case.settings.effort), register)
    except (ClockError, FlowError, MissingPackageError, SolverError, ValueError) as exc:
        raise PlanError(f"site_plan: {exc}") from exc
    except KeyError as exc:
        raise PlanError(f"site_plan: a site or the contract lacks {exc}") from exc
    wrong = violations(plan, case, register)
    if wrong:
        raise PlanError("site_plan: our fault: the plan breaks its own rules:\n" + "\n".join(wrong))
    return {"changed": False, "plan": plan}


def read_case(params: Mapping[str, Any], now: datetime) -> tuple[Case, dict[int, Wave]]:
    """The case and the register's waves by id; ValueError tells what is wrong."""
    sites = [Site.from_vars(variables) for variables in params["sites"]]
    told = [*params["waves"], *(wave for one in params["sites"] if (wave := one.get("interactor_wave")))]
    register = {wave.id: wave for wave in map(Wave.from_vars, told)}
    given = {"move_minutes": params["contract"]["migration"]["expected_minutes"], **params["settings"]}
    settings = read_settings(given, now.astimezone(OSLO).date(), {site.id for site in sites})
    promised = {site.move_date.year for site in sites if site.move_date}
    years = range(min([now.year, *promised]), max([settings.last.year, *promised]) + 1)
    case = Case(
        sites=sites,
        calendar=norwegian_calendar(years, (params["calendar"] or {}).get("half_days_off")),
        settings=settings,
        now=now,
        modes=described_modes(params["contract"]),
        states={
            site: Standpoint(told.get("state"), told.get("outcome"), bool(told.get("rolled_back")))
            for site, told in params["states"].items()
        },
        previous=read_previous(params["previous"]),
    )
    return without_lost_waves(case), register


def read_previous(path: str | None) -> Previous:
    """An earlier plan; none without a path or where no file is. ValueError for a file that is no plan."""
    if path is None or not Path(path).exists():
        return Previous()
    try:
        plan = json.loads(Path(path).read_text(encoding="utf-8"))
        if plan["schema"] != SCHEMA:
            raise ValueError(f"schema {plan['schema']!r}; {SCHEMA} is allowed")
        return _previous(str(plan["made"]), plan["sites"], plan["new_waves"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ValueError(f"previous: {path} is no plan: {type(exc).__name__}: {exc}") from exc


def _previous(made: str, sites: Iterable[Mapping[str, Any]], new_waves: Iterable[Mapping[str, Any]]) -> Previous:
    rows = list(sites)
    return Previous(
        made=made,
        dates={row["site"]: date.fromisoformat(row["move_date"]) for row in rows},
        waves={row["site"]: int(row["wave"]) for row in rows},
        new_waves={int(wave["id"]): str(wave["name"]) for wave in new_waves},
    )
