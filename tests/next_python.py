"""`python -m tests.next_python`: the path of the newest Python here on which the newest supported ansible-core runs.

Exit code 1 where there is none. A pyenv's names on the PATH do not run unasked, so its versions are looked at as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

MINORS = range(12, 15)
"""Of Python 3, those that ansible-core 2.21 supports."""


def candidates(environment: Mapping[str, str]) -> Iterator[str]:
    """What may be such a Python, whether it runs or not."""
    for minor in MINORS:
        found = shutil.which(f"python3.{minor}", path=environment.get("PATH", ""))
        if found:
            yield found
    root = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME", "/")) / ".pyenv")
    yield from map(str, sorted(root.glob("versions/3.*/bin/python")))


def version(python: str) -> tuple[int, ...]:
    """Which version it says it is; nothing where it does not run."""
    command = [python, "-c", "import sys; print(*sys.version_info[:3])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def newest(environment: Mapping[str, str]) -> str | None:
    """The newest of them that runs."""
    told = {python: version(python) for python in candidates(environment)}
    fit = [python for python, numbers in told.items() if numbers[:1] == (3,) and numbers[1] in MINORS]
    return max(fit, key=told.__getitem__, default=None)


if __name__ == "__main__":
    python = newest(os.environ)
    print(python or "no Python 3.12 to 3.14 runs here", file=sys.stdout if python else sys.stderr)
    sys.exit(0 if python else 1)
