# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to a host, put together before a run forks: it is the same for every host but for the arguments.

Ansible reads a module and all that it uses anew for each host, and looks at each of its lines. What is made here is,
byte for byte, what ansible would make; wherever it might be something else, ansible makes it as ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from ansible import constants
from ansible.executor.module_common import modify_module
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import module_loader

KNOWN = {
    *("module_name", "module_path", "module_args", "templar", "task_vars", "module_compression"),
    *("async_timeout", "become_plugin", "environment", "remote_is_local"),
}
"""What `modify_module` goes by in the versions of ansible-core whose way is known here."""
MARK = "arguments of a host"


@dataclass(frozen=True)
class Assembled:
    """A module with all that it uses, in three parts: the folder for its files goes between them, and its arguments."""

    path: str
    built: Any
    parts: tuple[bytes, bytes, bytes]

    def for_host(self, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a class of ansible's own
        """What is sent with these arguments."""
        encoder = get_module_encoder(self.built.serialization_profile, Direction.CONTROLLER_TO_MODULE)
        plain = json.loads(json.dumps(arguments, cls=encoder))
        folder = arguments.get("_ansible_tmpdir") or arguments.get("_ansible_remote_tmp") or None
        first, second, last = self.parts
        sent = b"".join((first, json.dumps(folder).encode(), second, json.dumps(plain).encode(), last))
        return replace(self.built, b_module_data=sent)


READY: dict[str, Assembled] = {}
"""By the module's name; forks inherit it."""


def prepare(name: str) -> None:
    """Put a PowerShell module together, unless that is done or cannot be done here."""
    if name in READY or set(signature(modify_module).parameters) != KNOWN:
        return
    found = module_loader.find_plugin_with_context(name, ".ps1")
    if not found.resolved:
        return
    arguments = {"_ansible_remote_tmp": MARK}
    path = found.plugin_resolved_path
    built = modify_module(module_name=name, module_path=path, module_args=arguments, templar=None, task_vars={})
    first, _, rest = built.b_module_data.partition(json.dumps(MARK).encode())
    second, _, last = rest.partition(json.dumps(arguments).encode())
    if last:
        READY[name] = Assembled(path, built, (first, second, last))


def ready_for(action: ActionBase, name: str, variables: Mapping[str, Any]) -> Assembled | None:
    """What is put together, where nothing but the arguments tells this host from others."""
    environment: dict[str, Any] = {}
    action._compute_environment_string(environment)
    connection = action._connection
    own = environment or action._task.async_val or connection.become or action._task.delegate_to
    if own or connection.module_implementation_preferences[0] != ".ps1":
        return None
    if constants.config.get_config_value("COVERAGE_REMOTE_OUTPUT", variables=variables):
        return None
    return READY.get(name)
