# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run loads before it forks, seen in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

SEE = """
import gc, json, sys
from importlib import import_module
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
module = import_module("ansible_collections.helsevest.interactor.plugins.callback.preload")
module.CallbackModule()
assert gc.get_threshold()[0] == module.GARBAGE
assert gc.get_freeze_count() > 10_000
before = set(sys.modules)
for loader, name in module.PLUGINS:
    assert loader.get(name, class_only=True), name
for package in module.PACKAGES:
    import_module(package)
print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""


def test_a_worker_finds_all_of_it_loaded():
    done = subprocess.run([sys.executable, "-c", SEE], check=True, capture_output=True, text=True)
    loaded, later = json.loads(done.stdout)
    assert later == []
    for name in ("winrm.protocol", "requests_ntlm", "ansible.plugins.filter.core", "ansible.plugins.shell.powershell"):
        assert any(found.startswith(name) for found in loaded), name


FIND = """
import json
from importlib import import_module
from pathlib import Path
import ansible.modules
from ansible.plugins.loader import init_plugin_loader, module_loader
init_plugin_loader()
callback = import_module("ansible_collections.helsevest.interactor.plugins.callback.preload").CallbackModule()
class Task:
    resolved_action = "helsevest.interactor.interactor_preflight"
callback.v2_playbook_on_task_start(Task(), False)
folder = Path(ansible.modules.__file__).parent
names = [path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")]
found = {name: module_loader.find_plugin("ansible.legacy." + name, "") for name in names}
print(json.dumps([len(names), {name: path for name, path in found.items() if Path(path or "").parent != folder}]))
"""


def test_ansibles_own_modules_are_found_as_ever():
    """Its loaders for modules and for what modules use share a cache, in which the first of a name stays."""
    done = subprocess.run([sys.executable, "-c", FIND], check=True, capture_output=True, text=True)
    number, wrong = json.loads(done.stdout)
    assert number > 50
    assert wrong == {}
