# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: the sites of a play for the gate, a site that is not there, and the events of a step for the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._domain.cloud_answers import join_answers
from ..module_utils._domain.families import chosen, list_of_part
from ..module_utils._domain.fix import Fixed
from ..module_utils._domain.fix import fix_events as events_of_fixes
from ..module_utils._domain.fix import fix_lists as lists_of_fixes
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


def wave_sites(groups: Mapping[str, Sequence[str]], hosts: Sequence[str]) -> dict[str, list[str]]:
    """The ids of all sites of the waves that `hosts` belong to, by the wave's number, whatever a run is limited to."""
    wanted, servers = set(hosts), set(groups.get("servers", ()))
    return {
        name.removeprefix("wave_"): [host.removesuffix("-server") for host in of_wave if host in servers]
        for name, of_wave in groups.items()
        if name.startswith("wave_") and name != "wave_none" and not wanted.isdisjoint(of_wave)
    }


def unrecorded(hostvars: Mapping[str, Any], hosts: Sequence[str]) -> list[dict[str, Any]]:
    """What a dry run has found so far and not recorded, of the sites of `hosts`, in the order in which it was found."""
    answer = hostvars["localhost"].get("reconciler_answer") or {"sites": {}, "unrecorded": []}
    sites = {host.rpartition("-")[0] for host in hosts}
    found = {site: [event for event in answer["unrecorded"] if event["site"] == site] for site in sites}
    for host in {host for site in sites & set(answer["sites"]) for host in answer["sites"][site]["hosts"]} & set(hosts):
        own = hostvars[host].get("__reconciler_own")
        if own is not None and "unrecorded" in own:
            found[host.rpartition("-")[0]] = list(own["unrecorded"])
    return [event for site in sorted(found) for event in found[site]]


def step_events(
    hosts: Sequence[str],
    hostvars: Mapping[str, Any],
    phase: str,
    step: str,
    answer: Mapping[str, Any],
    error: str | None = None,
) -> list[dict[str, Any]]:
    """What to record after `step`: each host's `__<phase>_result` becomes events (see _domain/recording.py).

    A result that cannot be understood, and `error` where the step broke instead of leaving one, are that host's
    failure and nobody else's.
    """
    events = []
    for host in hosts:
        variables = hostvars[host]
        site = variables["interactor_site_id"]
        result = {"error": error} if error is not None else variables.get(f"__{phase}_result")
        of = StepResult(
            site=site,
            host=host,
            is_server=variables["interactor_role"] == "server",
            attempt=answer["sites"][site]["attempt"],
            started=answer["now"],
            run_id=answer.get("run_id") or "",
            result={"error": f"step {step} of {phase} left no __{phase}_result"} if result is None else result,
        )
        try:
            events += events_of(Phase(phase), Step(step), [of])
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            told = {"error": f"step {step} of {phase}: {type(exc).__name__}: {exc}"}
            events += events_of(Phase(phase), Step(step), [replace(of, result=told)])
    return events


def client_users(results: Sequence[Mapping[str, Any]], sites: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who uses Interactor on each client of the `sites` on a server, by the results of the loop over the clients.

    A client that is not in the inventory, or did not answer, is there as not reached and not active: one that is off
    has nobody at it, and files that are open on the server are counted there.
    """
    answers = {result["__migrate_client"]: result for result in results}
    clients = []
    for host in (f"{site['id']}-{client['name']}" for site in sites for client in site["clients"]):
        users = answers.get(host, {}).get("users")
        clients.append({"host": host, "reached": users is not None, "active": False, **(users or {})})
    return clients


def cloud_answer(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the cloud answered for the sites of a server, as one answer, by the results of the loop over them."""
    try:
        return join_answers(results)
    except (KeyError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(f"cloud_answer: {type(exc).__name__}: {exc}") from exc


def upgrade_events(answer: Mapping[str, Any], name: str, reason: str, until: str = "") -> list[dict[str, Any]]:
    """Events for an upgrade that somebody allows outside its evening (see _domain/upgrade.py)."""
    try:
        return allowed_upgrades(answer, name, reason, until)
    except ValueError as exc:
        raise AnsibleFilterError(str(exc)) from exc


def _fixed(hosts: Sequence[str], hostvars: Mapping[str, Any]) -> list[Fixed]:
    """What interactor_fix answered on each host of a play (`__preflight_fixed`); nobody where it was not asked."""
    found = []
    for host in hosts:
        result = hostvars[host].get("__preflight_fixed")
        if result is not None and "changes" in result:
            found.append(Fixed(hostvars[host]["interactor_site_id"], host, bool(result.get("undo")), result))
    return found


def fix_events(hosts: Sequence[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to record of the remediation on the hosts of a play (see _domain/fix.py)."""
    return events_of_fixes(_fixed(hosts, hostvars))


def fix_lists(hosts: Sequence[str], hostvars: Mapping[str, Any], dry: bool) -> list[dict[str, Any]]:
    """What the remediation changed and left on the hosts of a play, as lists for the terminal."""
    return lists_of_fixes(_fixed(hosts, hostvars), dry)


def part_list(hosts: Sequence[str], hostvars: Mapping[str, Any], families: Sequence[str]) -> dict[str, Any]:
    """What a preflight of some families found on each of `hosts`, as a table for the terminal."""
    results = [(host, hostvars[host].get("__preflight_result") or {}) for host in hosts]
    return list_of_part(results, families)


def check_families(tags: Iterable[str], skipped: Iterable[str] = ()) -> list[str]:
    """The families of checks that a run is about (see _domain/families.py); none where it is about all."""
    try:
        return chosen(tags, skipped)
    except ValueError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {
            "check_families": check_families,
            "client_users": client_users,
            "cloud_answer": cloud_answer,
            "fix_events": fix_events,
            "fix_lists": fix_lists,
            "no_such_site": no_such_site,
            "part_list": part_list,
            "rollback_events": rollback_events,
            "site_states": site_states,
            "site_vars": site_vars,
            "step_events": step_events,
            "unrecorded": unrecorded,
            "wave_sites": wave_sites,
            "upgrade_events": upgrade_events,
        }
