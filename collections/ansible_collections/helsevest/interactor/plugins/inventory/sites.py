# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: the site register in, hosts and groups by wave and by window out."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sites
short_description: The hosts of the site register, by wave and by preferred window
author:
  - The Interactor move project (@helsevest)
description:
  - Reads a folder of register files and gives every site's server and clients.
  - Where anything is wrong the register is refused as a whole, with every problem in it.
  - Groups are C(interactor) and below it C(servers), C(clients), C(site_<id>), C(wave_<id>), C(window_night) and
    C(window_day). The last holds the sites whose window is over the same day and opens from 06:00 and before 18:00.
  - Variables are those of C(docs/contracts.md), Site variables. No user name, password or token is among them.
  - The source file's name ends in C(.register.yml) or C(.register.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
options:
  plugin:
    description: Marks the source file as one of this plugin.
    type: str
    required: true
    choices: [helsevest.interactor.sites]
  register:
    description: Folder of the register, seen from the folder of the source file.
    type: str
    default: register
  simulated:
    description:
      - Whether the hosts are those of the simulator, which then gives the clock too.
      - A source that does not say V(true) is refused while O(simulation) is set.
        A real inventory never runs on a simulated clock.
    type: bool
    default: false
  simulation:
    description: The file that the simulator writes about itself when it starts.
    type: path
    env:
      - name: INTERACTOR_SIMULATION
"""

EXAMPLES = r"""
# sites.register.yml, beside the folder "register"
plugin: helsevest.interactor.sites
register: register
keyed_groups:
  - prefix: county
    key: interactor_site.county
"""

import json
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ..module_utils._domain.window import Window
from ..module_utils._register import Register, RegisterError, load_register, machines

SUFFIXES = (".register.yml", ".register.yaml")
CONNECTION = {
    "ansible_connection": "winrm",
    "ansible_winrm_scheme": "https",
    "ansible_winrm_server_cert_validation": "validate",
}
START = (
    "start the simulator (make demo, or: python -m simulator --scenario FILE) and set INTERACTOR_SIMULATION to its file"
)


class InventoryModule(BaseInventoryPlugin, Constructable):
    """The inventory plugin helsevest.interactor.sites."""

    NAME = "helsevest.interactor.sites"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(SUFFIXES)

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            register = load_register(Path(path).parent / self.get_option("register"))
        except RegisterError as exc:
            raise AnsibleParserError(f"the register has {len(exc.problems)} problem(s)\n{exc}") from exc
        except ImportError as exc:
            raise AnsibleParserError(str(exc)) from exc
        simulation = self._simulation(path)
        self._add_sites(register)
        self._set("all", {**register.common_vars, **simulation.get("all", {})})
        self._set("interactor", simulation.get("interactor", {}))
        inventory.add_host("localhost")
        self._set("localhost", {"ansible_connection": "local", "ansible_python_interpreter": sys.executable})

    def _simulation(self, path: str) -> dict[str, dict[str, Any]]:
        file = self.get_option("simulation")
        if not self.get_option("simulated"):
            if file:
                raise AnsibleParserError(
                    f"{path}: simulation: {file} is set, but this inventory does not say simulated: true"
                )
            return {}
        if not file:
            raise AnsibleParserError(f"{path}: simulated: true, but no simulator is known: {START}")
        try:
            told = json.loads(Path(file).read_text(encoding="utf-8"))
            proxy, ca, clock = told["proxy"], told["ca"], told["clock_url"]
        except (OSError, ValueError, KeyError, TypeError) as exc:
            reason = f"{type(exc).__name__}: {exc}"
            raise AnsibleParserError(
                f"{path}: simulation: {file} is no file of a simulator ({reason}): {START}"
            ) from exc
        return {
            "all": {
                "interactor_simulated": True,
                "interactor_clock_url": clock,
                "interactor_proxy_url": proxy,
                "interactor_ca_path": ca,
            },
            "interactor": {"ansible_winrm_proxy": proxy, "ansible_winrm_ca_trust_path": ca},
        }

    def _set(self, entity: str, variables: dict[str, Any]) -> None:
        for name, value in variables.items():
            self.inventory.set_variable(entity, name, value)

    def _group(self, name: str, variables: dict[str, Any] | None = None) -> str:
        if name not in self.inventory.groups:
            self.inventory.add_group(name)
            if name != "interactor":
                self.inventory.add_child("interactor", name)
            self._set(name, variables or {})
        return name

    def _add_sites(self, register: Register) -> None:
        self._group("interactor", CONNECTION)
        for role in ("server", "client"):
            self._group(f"{role}s", {"interactor_role": role})
        for name in ("window_night", "window_day"):
            self._group(name)
        for number in register.waves:
            self._group(f"wave_{number}", {"interactor_wave": register.wave_vars(number)})
        for site in register.sites:
            raw = register.site_vars(site)
            shared = {
                "interactor_site_id": site.id,
                "interactor_site": raw,
                "interactor_waivers": register.waiver_vars(site),
            }
            window = "window_day" if Window.from_vars(raw["window"]).is_by_day else "window_night"
            groups = [self._group(f"site_{site.id}", shared), window]
            if site.wave is not None:
                groups.append(f"wave_{site.wave}")
            wider = {"interactor_wave": register.wave_vars(site.wave), **register.common_vars}
            known = {**CONNECTION, **shared, **wider}
            for role, machine in machines(raw):
                self._add_host(f"{site.id}-{machine['name']}", role, machine, [*groups, f"{role}s"], known)

    def _add_host(
        self, name: str, role: str, machine: dict[str, Any], groups: list[str], known: dict[str, Any]
    ) -> None:
        self.inventory.add_host(name)
        for group in groups:
            self.inventory.add_child(group, name)
        variables = {
            "interactor_credential": machine["credential"],
            "ansible_host": machine["address"] or machine["host"],
            "ansible_port": machine["port"],
            "ansible_winrm_transport": machine["transport"],
        }
        if machine["ca"]:
            variables["ansible_winrm_ca_trust_path"] = machine["ca"]
        self._set(name, variables)
        strict, known = self.get_option("strict"), {**known, "interactor_role": role, **variables}
        self._set_composite_vars(self.get_option("compose"), known, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)
