"""What ansible-core sends to a Windows host for a module, made by ansible-core itself."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ansible.executor.powershell import module_manifest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "collections" / "ansible_collections" / "helsevest" / "interactor" / "plugins" / "modules"
_FLAGS = "-NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand"


def command_line(script: str) -> str:
    """A command line as ansible-core makes it of a script."""
    return f"PowerShell {_FLAGS} {base64.b64encode(script.encode('utf-16-le')).decode()}"


def module(name: str, arguments: dict[str, Any], *, check: bool = False, diff: bool = False) -> tuple[str, bytes]:
    """Command line and standard input for one of our modules."""
    path = MODULES / f"{name}.ps1"
    bootstrap = module_manifest._get_powershell_script("bootstrap_wrapper.ps1").decode()
    sent = {**arguments, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_module_name": name}
    stdin = module_manifest._create_powershell_wrapper(
        name=f"ansible_collections.helsevest.interactor.plugins.modules.{name}",
        module_data=path.read_bytes(),
        module_path=str(path),
        module_args=sent,
        environment={},
        async_timeout=0,
        become_plugin=None,
        substyle="powershell",
        task_vars={},
        profile="legacy",
    )
    return command_line(bootstrap), stdin
