# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A register as an inventory: groups, hosts and their variables, as plain data that can be kept in a cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ._domain.groups import groups_of, wave_group
from ._domain.site import Site
from ._register import Register, register_files

START = (
    "start the simulator (make demo, or: python -m simulator --scenario FILE) and set INTERACTOR_SIMULATION to its file"
)


def inventory_of(register: Register) -> dict[str, Any]:
    """The inventory of a register, JSON-able.

    `common`: the variables of all; `waves`: those of each wave's group; `sites`: for each site its `groups` (parent to
    names), its `variables`, and its `hosts` (name to variables).
    """
    waves = {wave_group(number): {"interactor_wave": register.wave_vars(number)} for number in [*register.waves, None]}
    return {"common": register.common_vars, "waves": waves, "sites": list(_sites(register, waves))}


def host_vars(inventory: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every host's name with all its `interactor_*` variables, wherever the inventory keeps them."""
    return {
        name: _without_connection({**wider_vars(inventory, site), **variables})
        for site in inventory["sites"]
        for name, variables in site["hosts"].items()
    }


def wider_vars(inventory: Mapping[str, Any], site: Mapping[str, Any]) -> dict[str, Any]:
    """What the hosts of `site` have from their groups."""
    (wave,) = site["groups"]["waves"]
    return {**inventory["common"], **inventory["waves"][wave], **site["variables"]}


def fingerprint(folder: Path) -> str:
    """Tells whether a register is still the same, and so is the code that reads it: a hash of names and contents.

    A file that cannot be read counts as such; what is wrong with it is told when it is loaded.
    """
    found = sha256()
    for file in [*sorted(Path(__file__).parent.rglob("*.py")), *register_files(folder)]:
        try:
            content = file.read_bytes()
        except OSError:
            content = b""
        found.update(f"\0{file.name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _sites(register: Register, waves: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    waivers: dict[str, list[dict[str, Any]]] = {}
    for waiver in register.waiver_list():
        waivers.setdefault(waiver["site"], []).append(waiver)
    together: dict[str, list[str]] = {}
    for site in register.sites:
        together.setdefault(site.shared_server or "", []).append(site.id)
    for site in register.sites:
        raw = register.site_vars(site)
        # Every host carries its site's data, so that there the machines are names: a connection is its own host's.
        named = {
            "server": {"name": site.server.name, "host": site.server.host},
            "clients": [{"name": client.name} for client in site.clients],
            "together": sorted(together[site.shared_server]) if site.shared_server else [site.id],
        }
        variables = {
            "interactor_site_id": site.id,
            "interactor_site": raw | named,
            "interactor_waivers": waivers.get(site.id, []),
        }
        yield {
            "groups": groups_of(Site.from_vars({**variables, **waves[wave_group(site.wave)]})),
            "variables": variables,
            "hosts": {f"{site.id}-{machine['name']}": _host(role, machine) for role, machine in _machines(raw)},
        }


def _machines(raw: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    return [("server", raw["server"]), *(("client", client) for client in raw["clients"])]


def _host(role: str, machine: Mapping[str, Any]) -> dict[str, Any]:
    variables = {
        "interactor_role": role,
        "interactor_credential": machine["credential"],
        "ansible_host": machine["address"] or machine["host"],
        "ansible_port": machine["port"],
        "ansible_winrm_transport": machine["transport"],
    }
    return variables | ({"ansible_winrm_ca_trust_path": machine["ca"]} if machine["ca"] else {})


def _without_connection(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name.startswith("interactor_")}


def simulation_vars(file: str | None, *, simulated: bool) -> dict[str, dict[str, Any]]:
    """What the simulator says of itself in `file`, as variables of the groups `all` and `interactor`.

    ValueError where only one of the two is given, or the file is none of a simulator: a real inventory never runs on a
    simulated clock.
    """
    if not simulated:
        if file:
            raise ValueError(f"simulation: {file} is set, but this inventory does not say simulated: true")
        return {}
    if not file:
        raise ValueError(f"simulated: true, but no simulator is known: {START}")
    try:
        told = json.loads(Path(file).read_text(encoding="utf-8"))
        proxy, ca, clock = told["proxy"], told["ca"], told["clock_url"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        reason = f"{type(exc).__name__}: {exc}"
        raise ValueError(f"simulation: {file} is no file of a simulator ({reason}): {START}") from exc
    return {
        "all": {
            "interactor_simulated": True,
            "interactor_clock_url": clock,
            "interactor_proxy_url": proxy,
            "interactor_ca_path": ca,
        },
        "interactor": {"ansible_winrm_proxy": proxy, "ansible_winrm_ca_trust_path": ca},
    }
