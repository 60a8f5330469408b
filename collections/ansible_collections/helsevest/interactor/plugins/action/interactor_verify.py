# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a real server and tries there what a move relies on; see interactor_verify.yml."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any, ClassVar

from ..module_utils._domain.times import format_time
from ..module_utils._domain.window import OSLO
from ..plugin_utils._host_module import HostModule, lease_script

PING = "ansible.windows.win_ping"


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_verify"
    own_options: ClassVar[Mapping[str, Any]] = {"round_trips": 0}

    def take(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Ask once; a look also tells how the connection is set up and how long round trips take."""
        step = arguments.get("step")
        if step == "trial":
            arguments["lease_script"] = lease_script()
            # Neither the server nor the vendor's program is asked which day it is in Norway.
            arguments.setdefault("day", self.now.astimezone(OSLO).date().isoformat())
        answer = {**self.ask(arguments, variables), "at": format_time(self.now)}
        if step == "look":
            answer["connection"] = _set_up(self._connection)
            answer["round_trips"] = self._round_trips(variables) if answer["reached"] else []
        return answer

    def _round_trips(self, variables: dict[str, Any]) -> list[float]:
        """Seconds of each round trip that does nothing; fewer where one got no answer."""
        seconds = []
        for _ in range(int(self.options["round_trips"])):
            begun = perf_counter()
            try:
                answered = self._execute_module(module_name=PING, module_args={}, task_vars=variables)
            except Exception:  # a connection plugin lets the errors of its libraries through
                # The line broke, or the collection is not here: what was measured until now counts.
                break
            if answered.get("ping") != "pong":
                break
            seconds.append(round(perf_counter() - begun, 2))
        return seconds


def _set_up(connection: Any) -> dict[str, str | None]:  # noqa: ANN401
    """How a winrm connection is made, as it took its options; None for what another plugin does not tell."""
    transports = getattr(connection, "_winrm_transport", None) or []
    return {
        "plugin": getattr(connection, "transport", None),
        "scheme": getattr(connection, "_winrm_scheme", None),
        "transport": ", ".join(map(str, transports)) or None,
        "validation": str(getattr(connection, "_winrm_kwargs", {}).get("server_cert_validation", "validate")),
    }
