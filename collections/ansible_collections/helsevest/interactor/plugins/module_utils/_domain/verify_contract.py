# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checklist asks of the vendor contract, measured on a real server."""

from __future__ import annotations

from .checklist import Result
from .checks import CheckResult
from .findings import Case, Finding, Measure, failed, passed, still_open, whether
from .host_checks import samples_of
from .words import CheckOutcome


def service(case: Case) -> Finding:
    """The service of the contract is there, runs, and from the folder of the programs."""
    name, service = case.contract["service"]["name"], case.facts["service"]
    if service["state"] == "missing":
        return failed(f"no service has the name {name}")
    folder = case.contract["paths"]["install"].rstrip("\\")
    within = service["program"].casefold().startswith(f"{folder}\\".casefold())
    observed = f"{name} is {service['state']}: {service['program']}{'' if within else f', not below {folder}'}"
    return whether(within and service["state"] == "running", observed)


def version(case: Case) -> Finding:
    """The running service tells a version."""
    version, url = case.facts["version"], case.contract["service"]["version_url"]
    return whether(
        version is not None, version or f"{url} tells no version under {case.contract['service']['version_key']}"
    )


def paths(case: Case) -> Finding:
    """Programs, data and configuration are there."""
    there = case.facts["there"]
    missing = [
        f"paths.{name}: {case.contract['paths'][name]}" for name in ("install", "data", "config") if not there[name]
    ]
    return whether(not missing, f"missing: {', '.join(missing)}" if missing else "all three are there")


def configuration(case: Case) -> Finding:
    """The configuration has the keys of the contract and a mode that it knows."""
    keys, told = case.facts["keys"], case.contract["config"]
    if keys is None:
        return failed(f"{case.contract['paths']['config']} is missing, or no JSON object")
    missing = [f"{name}: {told[name]}" for name in ("mode_key", "endpoint_key") if told[name] not in keys]
    if missing:
        return failed(f"not among its keys: {', '.join(missing)}")
    known = case.facts["mode"] in [mode for mode, said in told["modes"].items() if said]
    return whether(known, f"mode {case.facts['mode']}{'' if known else ' is none of config.modes'}")


def signature(case: Case) -> Finding:
    """The installed program is signed, by whom the contract names."""
    service, publisher = case.facts["service"], case.contract["installer"]["publisher"]
    if service["signature"] is None:
        return failed(f"the program of the service {case.contract['service']['name']} cannot be looked at")
    right = service["signature"] == "Valid" and service["publisher"] == publisher
    by = f"{service['signature']}, signed by {service['publisher'] or 'nobody'}"
    return whether(right, by if right else f"{service['program']}: {by}, not by {publisher}")


def names(case: Case) -> Finding:
    """What we shall make is not there before our first step."""
    if case.answer["ledger"] is not None:
        return Finding(Result.NOT_APPLICABLE, "our first step has been taken here already")
    taken = [f"task {name}" for name in case.facts["tasks"]]
    if case.facts["there"]["maintenance_flag"]:
        taken.append(case.contract["paths"]["maintenance_flag"])
    return whether(not taken, f"there already: {', '.join(taken)}" if taken else "all are free")


def checks(*ids: str) -> Measure:
    """Of the preflight's checks those that it has made."""

    def measure(case: Case) -> Finding:
        made = [CheckResult.from_dict(check) for check in case.answer["checks"] if check["id"] in ids]
        if not made:
            return still_open("not checked")
        observed = "; ".join(f"{check.id}: {check.observed}" for check in made)
        return whether(all(check.outcome is CheckOutcome.PASS for check in made), observed)

    return measure


def speed(case: Case) -> Finding:
    """The file for the speed test could be read."""
    speed, wanted = case.facts["speed"] or {}, case.contract["speed"]
    samples = [each for each in samples_of(speed) if each["bytes"] and each["seconds"] is not None]
    if speed.get("error") or not samples:
        return failed(f"{wanted['url']}: {speed.get('error') or 'nothing was read'}")
    whole = all(each["bytes"] >= wanted["bytes"] or each["seconds"] >= wanted["seconds"] for each in samples)
    told = "; ".join(f"{each['bytes']} of {wanted['bytes']} bytes in {each['seconds']} s" for each in samples)
    return whether(whole, told)


def installer(case: Case) -> Finding:
    """The installer can be fetched from the middle on."""
    told = case.facts["web"]["installer"]
    return whether(told["status"] == 206, told["error"] or f"status {told['status']} for its bytes from 1000 on")


def script(case: Case) -> Finding:
    """The proxy script is one."""
    told = case.facts["web"]["script"]
    right = told["status"] == 200 and told["is_script"]
    return whether(
        right, told["error"] or f"status {told['status']}, {'a' if told['is_script'] else 'no'} proxy script"
    )


def cloud(case: Case) -> Finding:
    """The vendor's cloud tells what it knows of the site."""
    attempts = case.answer.get("attempts")
    return (
        failed(str(case.answer.get("msg") or "no answer")) if attempts is None else passed(f"{len(attempts)} attempts")
    )
