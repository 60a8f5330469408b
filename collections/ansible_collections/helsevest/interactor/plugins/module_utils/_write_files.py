# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces several files together, and none of them where somebody has saved one meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ._register_file import EditError


def write_files(
    contents: Mapping[Path, bytes], *, mode: int | None = None, started: Mapping[Path, bytes | None] | None = None
) -> None:
    """Replace all files, or none as far as can be: all are written beside their places first, then renamed.

    `mode` of the files; without it, each keeps its own. `started`: what the files held when the work on them began
    (None: there was none); EditError where one holds something else now. OSError with what went wrong;
    EditError too where a file could not be put back.
    """
    fresh: dict[Path, Path] = {}
    replaced: list[Path] = []
    try:
        for path, content in ((named.resolve(), content) for named, content in contents.items()):
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            fresh[path] = Path(name)
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            kept = path.stat().st_mode & 0o777 if path.exists() else 0o644
            fresh[path].chmod(kept if mode is None else mode)
        before = {path: path.read_bytes() if path.exists() else None for path in fresh}
        must_be(started or {}, {path: before[path.resolve()] for path in started or {}})
        for path, temporary in fresh.items():
            temporary.replace(path)
            replaced.append(path)
    except OSError as error:
        stuck = [told for path in replaced if (told := _not_put_back(path, before[path]))]
        if stuck:
            first = f"{error.filename}: {error.strerror}; the other files are as they were, but for:"
            raise EditError("\n".join([first, *stuck])) from None
        raise
    finally:
        for temporary in fresh.values():
            temporary.unlink(missing_ok=True)


def must_be(wanted: Mapping[Path, bytes | None], found: Mapping[Path, bytes | None]) -> None:
    """Nobody may have saved a file since it was read: what they wrote would be lost."""
    changed = [path for path, content in wanted.items() if found[path] != content]
    if changed:
        raise EditError(
            "\n".join(f"{path} was changed while this ran; nothing is written; run it again" for path in changed)
        )


def _not_put_back(path: Path, before: bytes | None) -> str:
    try:
        path.unlink() if before is None else path.write_bytes(before)
    except OSError as error:
        return f"{path} is replaced and cannot be put back: {error.strerror}"
    return ""
