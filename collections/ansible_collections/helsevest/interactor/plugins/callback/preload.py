# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads what every task needs before ansible forks: a fork inherits it, and would else load it again for each task."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preload
type: aggregate
short_description: Load the heavy packages once, before ansible forks
author: The Interactor move project (@helsevest)
description:
  - Ansible forks a worker for each task of each host. What the parent has loaded the worker has too; all else it
    loads again, each time.
  - This plugin prints nothing. It loads the journal's and the connection's packages and ansible's own plugins when a
    run starts, and then takes them out of the garbage collector's sight, so that forks share their memory.
  - What one of our modules sends to a host is put together here as well, but for its arguments.
  - A package that is missing is not this plugin's business; who needs it says so.
requirements:
  - enabled in C(callbacks_enabled) of ansible.cfg
"""

import gc
from collections import defaultdict
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import (
    connection_loader,
    filter_loader,
    lookup_loader,
    ps_module_utils_loader,
    shell_loader,
    test_loader,
)

from ..plugin_utils import _assembly

if TYPE_CHECKING:
    from ansible.playbook.task import Task

UTILS = "ansible_collections.helsevest.interactor.plugins.module_utils"
PACKAGES = (
    "winrm",
    "requests_ntlm",
    "sqlalchemy.dialects.sqlite",
    f"{UTILS}._gate",
    f"{UTILS}._vendor_migration",
    f"{UTILS}._reconcile",
)
HOST_MODULES = "helsevest.interactor.interactor_"
PLUGINS = (
    # By the names by which they are asked for. With one filter or test come all of its collection.
    (filter_loader, "ansible.builtin.bool"),
    (test_loader, "ansible.builtin.failed"),
    (lookup_loader, "ansible.builtin.env"),
    (lookup_loader, "ansible.builtin.file"),
    (connection_loader, "winrm"),
    (shell_loader, "powershell"),
    (filter_loader, "helsevest.interactor.site_vars"),
)
GARBAGE = 100_000
"""So many objects more than before are looked through for garbage; Python's own number is 700."""


class CallbackModule(CallbackBase):
    """Works by being loaded; see the documentation above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "helsevest.interactor.preload"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        for package in PACKAGES:
            with suppress(ImportError):
                import_module(package)
        for loader, name in PLUGINS:
            loader.get(name, class_only=True)
        # Ansible keeps one cache of paths for modules and for what modules use, and fills it with the second in workers
        # only. Here a module would be looked up later and a file of the same name be found.
        ps_module_utils_loader._plugin_path_cache = defaultdict(dict)
        ps_module_utils_loader.find_plugin("Ansible.Basic", ".cs")
        gc.collect()
        gc.freeze()
        # A worker lives for a moment, and to look for garbage touches memory that it shares.
        gc.set_threshold(GARBAGE)

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Put a module of ours together once for all hosts."""
        name = task.resolved_action or ""
        if name.startswith(HOST_MODULES):
            _assembly.prepare(name)
