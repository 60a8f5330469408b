# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template of the action plugins: run the paired module once on the host, and let a row come out of every host."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils import _clock
from ..module_utils._domain.answer import text_problem, value_problem
from ..module_utils._domain.cause import find_cause
from ..module_utils._domain.times import format_time, parse_time
from ._assembly import ready_for

OUR_ERRORS = (AnsibleError, AttributeError, KeyError, RecursionError, TypeError, ValueError)

LEASE_SCRIPT = Path(__file__).with_name("_lease.ps1")
"""What the task on the host runs that lets people into Interactor again; _Lease.psm1 puts it there."""

FIX_SCRIPT = Path(__file__).with_name("_fix.ps1")
"""What the task on the host runs that puts back what was for a night; _FixRecord.psm1 puts it there."""

DETAIL = 300
"""So many characters of an exception are kept: its beginning and its end, where libraries tell the cause."""


class BadAnswer(ValueError):  # noqa: N818
    """What the host sent is no answer of ours; the text says why, and nothing of what was sent."""


class HostModule(ActionBase):
    """Asks `module` on the host; not to reach it, and a module that fails, are answers and no failed tasks."""

    module: ClassVar[str]
    largest: ClassVar[int] = 2_000_000
    """So many characters an answer may have."""
    own_options: ClassVar[Mapping[str, Any]] = {}
    """Options that stay here, with their defaults; all others go to the module."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask and judge: the module's answer with `reached`, `cause`, `detail` and `error`."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = {name: value for name, value in self._task.args.items() if value is not None}
        defaults = {"clock_url": None, "timed": False, **self.own_options}
        self.options = {name: arguments.pop(name, default) for name, default in defaults.items()}
        begun = perf_counter()
        answer = self._answer(arguments, variables)
        if self.options["timed"]:
            answer["seconds"] = round(perf_counter() - begun, 1)
        return answer

    def _answer(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        try:
            told = arguments.pop("now", None)
            self.now: datetime = parse_time(told) if told else _clock.now(self.options["clock_url"])
            return self.judge(self.take(arguments, variables), arguments, variables)
        except (_clock.ClockError, *OUR_ERRORS) as exc:
            return self.judge(self.problem(exc), arguments, variables)

    def take(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """What is done on the host: ask once, unless a subclass does more."""
        return self.ask(arguments, variables)

    def judge(self, answer: dict[str, Any], arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """The answer, with what a subclass makes of it. An error while judging arrives here again, as `error`."""
        return answer

    def ask(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Run the module once."""
        sent = {**arguments, "now": format_time(self.now)}
        try:
            told = self._execute_module(module_name=self.module, module_args=sent, task_vars=variables)
        except BadAnswer as exc:
            return self.problem(exc)
        except Exception as exc:  # a connection plugin lets the errors of its libraries through
            if not is_of_connection(exc):
                raise
            return self.not_reached(str(exc))
        problem = value_problem(told)
        if problem:
            return self.problem(BadAnswer(problem))
        failed = told.pop("failed", False)
        error = _short(str(told.get("msg") or "the module failed without a message")) if failed else None
        # The contract of every host in every result would be most of what a run keeps in memory.
        for name in ("invocation", "exception", "msg", "module_stdout", "module_stderr"):
            told.pop(name, None)
        if self._task.check_mode and told.get("changed"):
            # It would have changed something and has not: nobody may take its answer for what is.
            told["dry"] = True
        return {**told, "reached": True, "cause": None, "detail": "", "error": error}

    def _configure_module(
        self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> tuple[Any, str]:
        """Ansible's own way to put the module together, where that is not done yet."""
        ready = ready_for(self, module_name, task_vars)
        if ready is None:
            made: tuple[Any, str] = super()._configure_module(module_name, module_args, task_vars)
            return made
        return ready.for_host(module_args), ready.path

    def _parse_returned_data(self, res: Mapping[str, Any], *further: Any) -> Any:  # noqa: ANN401 - a class of ansible's own in 2.21
        """Read what the module printed: ansible's own way, unless it cannot be an answer.

        Ansible would print what follows the JSON, and read bytes that are no UTF-8. What it makes of the answer is a
        dictionary in 2.19, and an object of a class of its own in 2.21.
        """
        code = f" (exit code {res.get('rc')})"
        problem = text_problem(str(res.get("stdout") or ""), self.largest)
        if problem:
            raise BadAnswer(problem + code)
        try:
            told: Any = super()._parse_returned_data(res, *further)
        except RecursionError:
            raise BadAnswer("the answer is nested deeper than can be read" + code) from None
        if not (told.get("_ansible_parsed") if isinstance(told, dict) else told.ansible_parsed):
            raise BadAnswer("the answer is cut off, or no JSON" + code)
        return told

    def not_reached(self, told: str) -> dict[str, Any]:
        """An answer that says that the host was not reached, and what the connection told."""
        detail = _short(self._without_secrets(told))
        return {"changed": False, "reached": False, "cause": find_cause(told), "detail": detail, "error": None}

    def _without_secrets(self, text: str) -> str:
        """The text without account and password, should a library name them."""
        for option in ("remote_password", "remote_user"):
            with suppress(Exception):
                secret = str(self._connection.get_option(option) or "")
                text = text.replace(secret, "…") if secret else text
        return text

    def problem(self, exc: Exception) -> dict[str, Any]:
        """An answer that says that the error is ours."""
        told = f"{exc}" if isinstance(exc, BadAnswer) else f"{type(exc).__name__}: {_without_content(str(exc))}"
        error = _short(told)
        return {"changed": False, "reached": True, "cause": None, "detail": "", "error": error}


def lease_script() -> str:
    """The text of the script that a step sends which keeps people out of Interactor."""
    return LEASE_SCRIPT.read_text(encoding="utf-8")


def fix_script() -> str:
    """The text of the script that a fix sends which puts back by itself what was for a night."""
    return FIX_SCRIPT.read_text(encoding="utf-8")


def is_of_connection(exc: Exception) -> bool:
    """Whether the host was not reached; winrm tells one of its time-outs as an error of any kind."""
    if isinstance(exc, AnsibleConnectionFailure):
        return True
    return not isinstance(exc, OUR_ERRORS) or "connection attempt timed out" in str(exc)


def _without_content(text: str) -> str:
    """What an error says, without what the host sent: winrm quotes the output."""
    return text.partition("\nstdout:")[0]


def _short(text: str) -> str:
    folded = " ".join(text.split())
    half = DETAIL // 2 - 2
    return folded if len(folded) <= DETAIL else f"{folded[:half]} … {folded[-half:]}"
