# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module site_reconcile does; it runs inside the worker (plugins/action/site_reconcile.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from ._domain.reconcile import reconcile


class ReconcileError(RuntimeError):
    """Names the parameter that is wrong."""


ARGUMENT_SPEC: dict[str, Any] = {
    "before": {"type": "dict", "required": True},
    "after": {"type": "dict", "required": True},
    "day": {"type": "str", "required": True},
    "months": {"type": "int", "required": True},
    "ids_before": {"type": "dict", "default": {}},
    "ids_after": {"type": "dict", "default": {}},
    "unlisted": {"type": "str", "default": ""},
}


def answer(params: dict[str, Any]) -> dict[str, Any]:
    """How the two sides compare. Raises ReconcileError."""
    try:
        found = reconcile(params["before"], params["after"], _day(params["day"]), params["months"])
        with_ids = found.with_ids(params["ids_before"], params["ids_after"])
    except ValueError as exc:
        raise ReconcileError(f"site_reconcile: {exc}") from None
    return {"changed": False, **replace(with_ids, unlisted=params["unlisted"]).to_dict()}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"day is {text!r}: a date as 2027-05-18 is wanted") from None
