"""What ansible-core sends to a Windows host for a module, made by ansible-core itself."""

from __future__ import annotations

import base64
import inspect
from pathlib import Path
from typing import Any

from ansible.executor.powershell import module_manifest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "collections" / "ansible_collections" / "helsevest" / "interactor" / "plugins" / "modules"
_FLAGS = "-NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand"


def command_line(script: str) -> str:
    """A command line as ansible-core makes it of a script."""
    return f"PowerShell {_FLAGS} {base64.b64encode(script.encode('utf-16-le')).decode()}"


def wrapped(
    name: str,
    path: Path,
    content: bytes,
    sent: dict[str, Any],
    environment: dict[str, str],
    interpreter: str | None = "powershell",
) -> bytes:
    """Standard input for a module by its full name; `sent` are its arguments and ansible-core's own.

    `interpreter`: what later ansible-cores name as the one to run it, 2.19 does not; None: whichever reads it.
    """
    wrapper = module_manifest._create_powershell_wrapper
    named = {"pwsh_interpreter": interpreter} if "pwsh_interpreter" in inspect.signature(wrapper).parameters else {}
    made: bytes = wrapper(
        name=name,
        module_data=content,
        module_path=str(path),
        module_args=sent,
        environment=environment,
        async_timeout=0,
        become_plugin=None,
        substyle="powershell",
        task_vars={},
        profile="legacy",
        **named,
    )
    return made


def payload(name: str, sent: dict[str, Any], environment: dict[str, str]) -> bytes:
    """Standard input for one of our modules."""
    path = MODULES / f"{name}.ps1"
    full = f"ansible_collections.helsevest.interactor.plugins.modules.{name}"
    return wrapped(full, path, path.read_bytes(), sent, environment)


def bootstrap() -> str:
    """The script that reads what is on standard input."""
    text: str = module_manifest._get_powershell_script("bootstrap_wrapper.ps1").decode()
    return text


def module(name: str, arguments: dict[str, Any], *, check: bool = False, diff: bool = False) -> tuple[str, bytes]:
    """Command line and standard input for one of our modules."""
    sent = {**arguments, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_module_name": name}
    return command_line(bootstrap()), payload(name, sent, {})
