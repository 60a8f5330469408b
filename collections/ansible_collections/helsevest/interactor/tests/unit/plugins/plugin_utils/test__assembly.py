# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is put together before a run forks is what ansible would send, and is used only where it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.plugin_utils import _assembly

MODULES = Path(_assembly.__file__).parent.parent / "modules"
NAMES = sorted(f"helsevest.interactor.{path.stem}" for path in MODULES.glob("*.ps1"))
ARGUMENTS = {
    "contract": {
        "pages": {"P1": {"url": 'https://æ.example/"\\', "status": 404}},
        "none": None,
        "list": [1, 2.5, True],
    },
    "site": "1001",
    "_ansible_check_mode": False,
}
SEE = """
import json, sys
from ansible.executor.module_common import modify_module
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible_collections.helsevest.interactor.plugins.plugin_utils import _assembly
found = {}
names, arguments = json.load(sys.stdin)
for name in names:
    _assembly.prepare(name)
    for folder in ({}, {"_ansible_remote_tmp": "%TEMP%"}, {"_ansible_remote_tmp": "%TEMP%", "_ansible_tmpdir": "C:/x"}):
        ready, sent = _assembly.READY.get(name), {**arguments, **folder}
        path = ready.path if ready else None
        found.setdefault(name, []).append(
            ready
            and ready.for_host(sent)
            == modify_module(module_name=name, module_path=path, module_args=sent, templar=None, task_vars={})
        )
print(json.dumps(found))
"""


def test_it_is_what_ansible_sends():
    done = subprocess.run(
        [sys.executable, "-c", SEE], input=json.dumps([NAMES, ARGUMENTS]), check=True, capture_output=True, text=True
    )
    # A core that goes another way has nothing put together, and never something else.
    wanted = (
        [True] * 3 if set(_assembly.signature(_assembly.modify_module).parameters) == _assembly.KNOWN else [None] * 3
    )
    assert json.loads(done.stdout) == dict.fromkeys(NAMES, wanted)


def action(**other: Any) -> Any:
    """A task of a host, which is as every other one but for `other`."""
    said = {
        "environment": {},
        "async_val": 0,
        "become": None,
        "delegate_to": None,
        "kinds": (".ps1", ".exe", ""),
    } | other
    return SimpleNamespace(
        _compute_environment_string=lambda into: into.update(said["environment"]),
        _task=SimpleNamespace(async_val=said["async_val"], delegate_to=said["delegate_to"]),
        _connection=SimpleNamespace(become=said["become"], module_implementation_preferences=said["kinds"]),
    )


@pytest.mark.parametrize(
    ("other", "variables"),
    [
        ({"environment": {"https_proxy": "http://p"}}, {}),
        ({"async_val": 10}, {}),
        ({"become": "runas"}, {}),
        ({"delegate_to": "localhost"}, {}),
        ({"kinds": ("",)}, {}),
        ({}, {"_ansible_coverage_remote_output": "C:/coverage"}),
    ],
)
def test_whatever_else_tells_a_host_from_others_goes_ansibles_way(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], variables: dict[str, Any]
):
    monkeypatch.setitem(_assembly.READY, "ours", "put together")  # type: ignore[arg-type]  # any object will do
    assert _assembly.ready_for(action(), "ours", {}) == "put together"
    assert _assembly.ready_for(action(), "another", {}) is None
    assert _assembly.ready_for(action(**other), "ours", variables) is None


def test_a_module_that_is_not_there_and_another_core_are_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_assembly, "READY", {})
    monkeypatch.setattr(_assembly.module_loader, "find_plugin_with_context", lambda *_: SimpleNamespace(resolved=False))
    _assembly.prepare("helsevest.interactor.interactor_none")
    monkeypatch.setattr(_assembly, "modify_module", lambda **_: None)
    _assembly.prepare(NAMES[0])
    assert _assembly.READY == {}
