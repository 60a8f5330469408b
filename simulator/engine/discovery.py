"""Where a PowerShell engine is: `$INTERACTOR_PWSH`, else `pwsh` on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache

VARIABLE = "INTERACTOR_PWSH"
_SECONDS = 60


class EngineMissing(Exception):  # noqa: N818
    """There is none; the text says where it was looked for."""


class EngineBroken(Exception):  # noqa: N818
    """The one that is named, or found, does not work; the text says why."""


def find_pwsh() -> str:
    """The engine's path. Raises `EngineMissing`, and `EngineBroken` where it does not do the simplest thing."""
    named = os.environ.get(VARIABLE)
    path = named or shutil.which("pwsh")
    if path is None:
        raise EngineMissing(f"no PowerShell engine: ${VARIABLE} is not set and there is no pwsh on the PATH")
    problem = _problem(path)
    if problem:
        raise EngineBroken(f"the PowerShell engine {path!r} does not work: {problem}")
    return path


@lru_cache
def _problem(path: str) -> str:
    """What is wrong with an engine; empty where it works."""
    command = [path, "-NoProfile", "-Command", "$PSVersionTable.PSVersion.Major"]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if told.returncode != 0 or not told.stdout.strip().isdigit():
        return f"code {told.returncode}: {told.stderr[:500]}"
    return ""
