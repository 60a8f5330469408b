"""What a Wine host is made with: `$INTERACTOR_WINE_HOST` or `wine-host` on the PATH, and Debian's programs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "INTERACTOR_WINE_HOST"
_FAKETIME = "faketime/libfaketime.so.1"
_PROGRAMS = {
    "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
    "x86_64-w64-mingw32-windres": "gcc-mingw-w64-x86-64",
    "wixl": "wixl",
}


class WineMissing(Exception):  # noqa: N818
    """Something that a Wine host needs is not there; the text says what, and which package has it."""


@dataclass(frozen=True)
class Tools:
    """Paths of `wine-host`, which makes machines, and of the library that shows their programs another clock."""

    wine_host: str
    faketime: str


def find_tools() -> Tools:
    """What is needed to run Wine hosts and to build the programs on them. Raises `WineMissing`."""
    wine_host = os.environ.get(VARIABLE) or shutil.which("wine-host")
    if wine_host is None:
        raise WineMissing(f"no Wine hosts: ${VARIABLE} is not set and there is no wine-host on the PATH")
    if not os.access(wine_host, os.X_OK):
        raise WineMissing(f"no Wine hosts: {wine_host!r} is no program (${VARIABLE})")
    if not (shutil.which("wine64") or shutil.which("wine") or os.access("/usr/lib/wine/wine64", os.X_OK)):
        raise WineMissing("no Wine hosts: there is no wine (Debian packages wine and wine64)")
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            raise WineMissing(f"no Wine hosts: there is no {program} (Debian package {package})")
    found = sorted(Path("/usr/lib").glob(f"*/{_FAKETIME}"))
    if not found:
        raise WineMissing("no Wine hosts: there is no libfaketime.so.1 (Debian package libfaketime)")
    return Tools(wine_host, str(found[0]))
