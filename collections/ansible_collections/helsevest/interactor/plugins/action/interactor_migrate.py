# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes one step of a move on a server and, where asked to, stays on a running one; see interactor_migrate.yml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from ..module_utils import _clock
from ..module_utils._domain.times import parse_time
from ..module_utils._domain.window import OSLO
from ..plugin_utils._host_module import HostModule, lease_script
from ..plugin_utils._knock import knock

KEEPS_OUT = frozenset({"look", "lease", "manifest", "start", "follow", "switch"})
"""The steps that take the lease or renew it."""


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_migrate"
    # The step `ids` lists all of a category.
    largest = 100_000_000
    own_options: ClassVar[Mapping[str, Any]] = {"follow_minutes": 0, "poll_seconds": 60}

    def take(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        ends = None
        if "attempt" in arguments:
            # The gate's attempt holds more than its name.
            attempt = arguments["attempt"]
            ends = attempt.get("until")
            sites = {"sites": attempt["sites"]} if attempt.get("sites") else {}
            arguments["attempt"] = {name: attempt[name] for name in ("number", "key")} | sites
        step = arguments.get("step")
        if step == "manifest":
            # Neither the server nor the vendor's program is asked which day it is in Norway.
            arguments.setdefault("day", self.now.astimezone(OSLO).date().isoformat())
        if step == "users":
            problem = knock(self._connection)
            if problem:
                # A PC that is off would hold its office for as long as a connection takes to give up.
                return self.not_reached(problem)
        elif step in KEEPS_OUT:
            arguments["lease_script"] = lease_script()
        answer = self.ask(arguments, variables)
        if step != "follow" or self._task.check_mode:
            return answer
        until = self.now + timedelta(minutes=int(self.options["follow_minutes"]))
        if ends:
            # Who stayed would renew the lease of an office that opens in the morning.
            until = min(until, parse_time(ends))
        pause = timedelta(seconds=max(1, int(self.options["poll_seconds"])))
        while self.now < until and _is_open(answer):
            self.now = _clock.wait_until(min(self.now + pause, until), self.options["clock_url"])
            changed = answer["changed"]
            answer = self.ask(arguments, variables)
            answer["changed"] |= changed
        return answer


def _is_open(answer: dict[str, Any]) -> bool:
    """Whether to ask again: it runs, or a broken connection hid it."""
    return not answer["reached"] or (answer["error"] is None and answer["status"]["state"] == "running")
