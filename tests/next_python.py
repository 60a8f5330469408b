"""`python -m tests.next_python`: the path of the newest Python here on which the newest supported ansible-core runs.

Nothing where there is none, or where this one runs it already. A pyenv's names on the PATH do not run unasked, so its
versions are looked at as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

MINORS = range(12, 14)
"""Of Python 3, those that ansible-core 2.21 supports and that it was tried on."""


def candidates(environment: Mapping[str, str]) -> Iterator[str]:
    """What may be such a Python, whether it runs or not."""
    for minor in MINORS:
        found = shutil.which(f"python3.{minor}", path=environment.get("PATH", ""))
        if found:
            yield found
    root = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME", "/")) / ".pyenv")
    yield from map(str, sorted(root.glob("versions/3.*/bin/python")))


def version(python: str) -> tuple[int, ...]:
    """Which version it says it is; nothing where it does not run, or can make no virtual environment."""
    command = [python, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:3])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()
    except (OSError, ValueError):
        return ()


def newest(environment: Mapping[str, str]) -> str | None:
    """The newest of them that runs."""
    told = {python: version(python) for python in candidates(environment)}
    fit = [python for python, numbers in told.items() if numbers[:1] == (3,) and numbers[1] in MINORS]
    return max(fit, key=told.__getitem__, default=None)


if __name__ == "__main__":
    print("" if sys.version_info >= (3, MINORS[0]) else newest(os.environ) or "")
