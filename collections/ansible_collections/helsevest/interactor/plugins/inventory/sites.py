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
  - Groups are C(interactor) and below it C(servers), C(clients), and by what the register says of a site
    C(waves), C(windows), C(modes), C(kinds), C(counties), C(languages), C(epjs), C(dates), C(states) and C(sites).
    Each of these has one group per value, as C(wave_1), C(window_night) or C(county_more_og_romsdal), and in it the
    groups of its sites, as C(site_1001). C(docs/contracts.md), Groups, tells how the names are made.
  - Variables are those of C(docs/contracts.md), Site variables. No user name, password or token is among them.
  - The source file's name ends in C(.register.yml) or C(.register.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
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
  clients:
    description:
      - Whether the sites' clients are hosts. V(false) makes an inventory of servers only, for what concerns no client.
      - A preflight needs them.
    type: bool
    default: true
    env:
      - name: INTERACTOR_CLIENTS
    ini:
      - section: interactor
        key: clients
  cache:
    description:
      - Whether the register is kept in the cache once it has been read and found right. It is read again as soon as
        any of its files has changed, so that what is kept is never older than the files.
      - The register's contacts are kept with it, so the folder of a cache in files has to be closed to others (mode
        0700); any other is refused.
      - To read 1,600 sites takes less than a second, so this seldom pays.
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
  - prefix: transport
    key: ansible_winrm_transport
"""

import gc
import re
import sys
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, cast

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.template import trust_as_template

from ..module_utils._domain.groups import PARENTS, in_order
from ..module_utils._inventory import fingerprint, inventory_of, simulation_vars, wider_vars
from ..module_utils._register import RegisterError, load_register, without_collector

SUFFIXES = (".register.yml", ".register.yaml")
CONNECTION = {
    "ansible_connection": "winrm",
    "ansible_winrm_scheme": "https",
    "ansible_winrm_server_cert_validation": "validate",
}

# Without any sign that a template is written with, nor one that an expression needs to call or to filter something.
_NO_TEMPLATE = re.compile(r"[\w .,:;+@/&?!–-]*")


@cache
def _marked_text(text: str) -> str:
    return cast("str", trust_as_template(text)) if _NO_TEMPLATE.fullmatch(text) else text


def _marked(value: object) -> object:
    """`value` with each text that cannot be a template marked as one that may be shown.

    Nothing of the register is ever a template: texts that might be one stay unmarked, and Ansible never evaluates them.
    To mark the others changes how they are listed: as they are, not each wrapped in `__ansible_unsafe`.
    """
    if isinstance(value, str):
        return _marked_text(value)
    if isinstance(value, dict):
        return {name: _marked(inner) for name, inner in value.items()}
    return [_marked(inner) for inner in value] if isinstance(value, list) else value


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin helsevest.interactor.sites."""

    NAME = "helsevest.interactor.sites"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(SUFFIXES)

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        with without_collector():
            plain = self._plain(path, use_cache=cache)
            simulation = self._simulation(path)
            self._add_groups(plain)
            for site in plain["sites"]:
                self._add_site(plain, site)
        gc.freeze()  # the hosts stay as long as the run
        self._set("all", {**plain["common"], **simulation.get("all", {})})
        self._set("interactor", simulation.get("interactor", {}))
        inventory.add_host("localhost")
        self._set("localhost", {"ansible_connection": "local", "ansible_python_interpreter": sys.executable})

    def _plain(self, path: str, *, use_cache: bool) -> dict[str, Any]:
        """The inventory as plain data: from the cache, if that is wanted and the register is still the same."""
        folder = Path(path).parent / self.get_option("register")
        if not self.get_option("cache"):
            return self._load(folder)
        self._keep_to_ourselves(path)
        key, now = self.get_cache_key(path), fingerprint(folder)
        kept = self._cache.get(key) if use_cache else None
        if isinstance(kept, dict) and kept.get("fingerprint") == now:
            return cast("dict[str, Any]", kept["inventory"])
        plain = self._load(folder)
        self._cache[key] = {"fingerprint": now, "inventory": plain}
        self.update_cache_if_changed()
        return plain

    def _load(self, folder: Path) -> dict[str, Any]:
        try:
            return inventory_of(load_register(folder))
        except RegisterError as exc:
            # Ansible shows the text of an error twice, which hides what a long list says.
            self.display.error(f"the register has {len(exc.problems)} problem(s)\n{exc}")
            raise AnsibleParserError("the register is refused; its problems are told above") from None
        except ImportError as exc:
            raise AnsibleParserError(str(exc)) from exc

    def _keep_to_ourselves(self, path: str) -> None:
        """A cache of files holds what the register holds of contacts, so others must not get into its folder."""
        folder = getattr(self._cache._plugin, "_cache_dir", None)
        if folder and Path(folder).stat().st_mode & 0o077:
            raise AnsibleParserError(
                f"{path}: cache: {folder} may be entered by others, and the register's contacts would be in it; "
                "chmod 700 it, or name another folder in cache_connection"
            )

    def _simulation(self, path: str) -> dict[str, dict[str, Any]]:
        try:
            return simulation_vars(self.get_option("simulation"), simulated=self.get_option("simulated"))
        except ValueError as exc:
            raise AnsibleParserError(f"{path}: {exc}") from exc

    def _set(self, entity: str, variables: dict[str, Any]) -> None:
        for name, value in variables.items():
            self.inventory.set_variable(entity, name, _marked(value))

    def _group(self, name: str, parent: str) -> None:
        self.inventory.add_group(name)
        self.inventory.add_child(parent, name)

    def _add_groups(self, plain: dict[str, Any]) -> None:
        self.inventory.add_group("interactor")
        self._set("interactor", CONNECTION)
        below = {"waves": {*plain["waves"]}, "windows": {"window_night", "window_day"}}
        for parent in PARENTS:
            self._group(parent, "interactor")
            values = chain.from_iterable(site["groups"][parent] for site in plain["sites"])
            for name in in_order({*below.get(parent, ()), *values}):
                self._group(name, parent)
        for parent in ("servers", "clients"):
            self._group(parent, "interactor")
        for name, variables in plain["waves"].items():
            self._set(name, variables)

    def _add_site(self, plain: dict[str, Any], site: dict[str, Any]) -> None:
        (own,) = site["groups"]["sites"]
        self._set(own, site["variables"])
        for parent, names in site["groups"].items():
            for name in names if parent != "sites" else ():
                self.inventory.add_child(name, own)
        wider = {**CONNECTION, **wider_vars(plain, site)}
        for name, variables in site["hosts"].items():
            role = variables["interactor_role"]
            if role == "server" or self.get_option("clients"):
                self.inventory.add_host(name, own)
                self.inventory.add_child(f"{role}s", name)
                self._set(name, variables)
                self._construct(name, {**wider, **variables})

    def _construct(self, name: str, known: dict[str, Any]) -> None:
        for option, add in (
            ("compose", self._set_composite_vars),
            ("groups", self._add_host_to_composed_groups),
            ("keyed_groups", self._add_host_to_keyed_groups),
        ):
            if wanted := self.get_option(option):
                add(wanted, known, name, strict=self.get_option("strict"))
