# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template of action plugins that answer on the controller, inside the worker: no process of their own.

Nor does Ansible print their arguments at high verbosity, in which the register's contacts are.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase


class ControllerModule(ActionBase):
    """Checks the arguments against `spec` and gives what `answer` says; an `error` of its own fails the task."""

    spec: ClassVar[dict[str, Any]]
    error: ClassVar[type[Exception]]

    _supports_check_mode = True

    @abstractmethod
    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """The result; raises `error` with a text for the person who started the run."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments and answer."""
        result = super().run(tmp, task_vars)
        _checked, params = self.validate_argument_spec(self.spec)
        try:
            return {**result, **self.answer(params)}
        except self.error as exc:
            return {**result, "failed": True, "msg": str(exc)}
