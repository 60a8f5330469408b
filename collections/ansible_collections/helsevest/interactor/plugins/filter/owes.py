# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: what all sites owe, as data for letters and as a list for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._domain import owed_list

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
        return {"owes_data": _filter(owed_list.owes_data), "owes_list": _filter(owed_list.owes_list)}
