# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: what all sites owe and are warned of, for letters and the terminal; what a rollback would lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._domain import delta, lost_list, owed_list

Answer = Mapping[str, Any]


def _filter(function: Callable[[Answer], dict[str, Any]]) -> Callable[[Answer], dict[str, Any]]:
    def of_answer(answer: Answer) -> dict[str, Any]:
        try:
            return function(answer)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            reason = f"{type(exc).__name__}: {exc}"
            raise AnsibleFilterError(f"{function.__name__}: this is no answer of site_gate: {reason}") from exc

    return of_answer


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        functions = (
            owed_list.owes_data,
            owed_list.owes_list,
            owed_list.warnings_list,
            lost_list.lost_list,
            delta.delta_list,
        )
        return {function.__name__: _filter(function) for function in functions}
