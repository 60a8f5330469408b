# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one guarded import of OR-Tools."""

from __future__ import annotations

from ._holidays import MissingPackageError

try:
    from ortools.graph.python import min_cost_flow
    from ortools.sat.python import cp_model
except ImportError as _error:
    ORTOOLS_IMPORT_ERROR: ImportError | None = _error
    min_cost_flow = cp_model = None
else:
    ORTOOLS_IMPORT_ERROR = None

__all__ = ["check_package", "cp_model", "min_cost_flow"]


def check_package() -> None:
    """Raise MissingPackageError, which says what to do, unless OR-Tools is there."""
    if ORTOOLS_IMPORT_ERROR:
        raise MissingPackageError(
            "the plan needs the Python package 'ortools' on the controller, which is in the dependency group 'plan' "
            f"(make setup installs it, or: pip install ortools): {ORTOOLS_IMPORT_ERROR}"
        ) from ORTOOLS_IMPORT_ERROR
