# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: the sites of a play for the gate, a site that is not there, and the events of a step for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._domain.near import nearest
from ..module_utils._domain.recording import StepResult, events_of, rollback_events
from ..module_utils._domain.upgrade import upgrade_events as allowed_upgrades
from ..module_utils._domain.words import Phase, Step

SITE_VARIABLES = (
    "interactor_site",
    "interactor_wave",
    "interactor_vendor",
    "interactor_health_trust",
    "interactor_waivers",
)


def site_vars(
    hostvars: Mapping[str, Any], groups: Mapping[str, Sequence[str]], hosts: Sequence[str]
) -> list[dict[str, Any]]:
    """The site variables of `hosts`, each site once, in order of the sites' ids.

    The groups tell which hosts belong together, so that one host a site has its variables made.
    """
    wanted, sites = set(hosts), []
    for name in sorted(name for name in groups if name.startswith("site_")):
        host = next((host for host in groups[name] if host in wanted), None)
        if host is not None:
            wanted.difference_update(groups[name])
            variables = hostvars[host]
            sites.append({name: variables[name] for name in SITE_VARIABLES if name in variables})
    if wanted:
        raise AnsibleFilterError(f"hosts of no site: {', '.join(sorted(wanted))}; is their inventory a site register?")
    return sites


def no_such_site(site: str, groups: Mapping[str, Sequence[str]]) -> str:
    """What to say of a site that is not in the register: how many there are, and whose ids look like it."""
    known = sorted(name.removeprefix("site_") for name in groups if name.startswith("site_"))
    close = sorted(nearest(site, known, most=3))
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    return f"site {site!r} is none of the register's {len(known)} site(s){hint}"


def site_states(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """State, outcome and `rolled_back` of each site, from `sites` of the gate's answer, for the planner."""
    try:
        return {
            site: {name: answer[name] for name in ("state", "outcome", "rolled_back")}
            for site, answer in answers.items()
        }
    except (AttributeError, KeyError, TypeError) as exc:
        raise AnsibleFilterError(
            f"site_states: these are no answers of site_gate: {type(exc).__name__}: {exc}"
        ) from exc


def step_events(
    hosts: Sequence[str], hostvars: Mapping[str, Any], phase: str, step: str, answer: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What to record after `step`: each host's `__<phase>_result` becomes events (see _domain/recording.py)."""
    results = []
    for host in hosts:
        variables = hostvars[host]
        result = variables.get(f"__{phase}_result")
        if result is None:
            raise AnsibleFilterError(f"host {host}: step {step} of {phase} left no __{phase}_result")
        site = variables["interactor_site_id"]
        results.append(
            StepResult(
                site=site,
                host=host,
                is_server=variables["interactor_role"] == "server",
                attempt=answer["sites"][site]["attempt"],
                started=answer["now"],
                result=result,
            )
        )
    try:
        return events_of(Phase(phase), Step(step), results)
    except (KeyError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(f"step {step} of {phase}: {type(exc).__name__}: {exc}") from exc


def client_users(results: Sequence[Mapping[str, Any]], site: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who uses Interactor on each client of `site`, by the results of the loop that asked those in the inventory.

    A client that is not in the inventory, or did not answer, is there as not reached and not active: one that is off
    has nobody at it, and files that are open on the server are counted there.
    """
    answers = {result["__migrate_client"]: result for result in results}
    clients = []
    for host in (f"{site['id']}-{client['name']}" for client in site["clients"]):
        users = answers.get(host, {}).get("users")
        clients.append({"host": host, "reached": users is not None, "active": False, **(users or {})})
    return clients


def upgrade_events(answer: Mapping[str, Any], name: str, reason: str, until: str = "") -> list[dict[str, Any]]:
    """Events for an upgrade that somebody allows outside its evening (see _domain/upgrade.py)."""
    try:
        return allowed_upgrades(answer, name, reason, until)
    except ValueError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {
            "client_users": client_users,
            "no_such_site": no_such_site,
            "rollback_events": rollback_events,
            "site_states": site_states,
            "site_vars": site_vars,
            "step_events": step_events,
            "upgrade_events": upgrade_events,
        }
