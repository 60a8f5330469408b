# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patch that writes a plan into the register: made, tried on a copy, and never applied by us."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._domain.plan_patch import SITES, WAVES, moved_on, wanted
from ._domain.plan_words import counted
from ._register import RegisterError, load_register
from ._register_edit import Change, EditError, edit_register


class PatchError(Exception):
    """The patch cannot be made, or the register would not be valid with it; the text says why."""


def register_patch(plan: Mapping[str, Any], register: Path, root: Path) -> str:
    """The unified diff that makes the files in `register` (a folder or a file) say what `plan` says; empty for none.

    Its paths are relative to `root`, or to the register's own parent where it lies elsewhere; its head says how to
    apply it. Raises PatchError where the register is not the one of which the plan was made, or would be refused
    afterwards; ImportError where a package is missing.
    """
    entries = wanted(plan)
    if not entries:
        return ""
    try:
        sites = load_register(register).sites
    except RegisterError as exc:
        raise PatchError(f"the register cannot be read:\n{exc}") from exc
    now = {site.id: (site.wave, str(site.move_date) if site.move_date else None) for site in sites}
    if other := moved_on(plan, now):
        raise PatchError(
            f"the register has changed since this plan was made (sites {', '.join(other[:20])}); plan again"
        )
    place = register.resolve()
    changes = [Change(section, entry, values, new=section == WAVES) for section, entry, values in entries]
    try:
        edited = edit_register(place, changes, overwrite=True)
    except (EditError, RegisterError) as exc:
        raise PatchError(str(exc)) from exc
    _try(place, edited.texts)
    root = root.resolve() if place.is_relative_to(root.resolve()) else place.parent
    number = sum(section == SITES for section, _, _ in entries)
    head = (
        f"# {counted(number, 'site', 'sites')} and {counted(len(entries) - number, 'new wave', 'new waves')}. "
        f"Read it, then apply it in the folder\n# {root}\n"
        "# with: git apply <this file>    or: patch -p1 < <this file>\n"
    )
    return head + edited.diff(root)


def _try(register: Path, texts: Mapping[Path, str]) -> None:
    """See that a copy of the register with the new texts is a valid one."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / register.name
        files = sorted(register.glob("*.yml")) if register.is_dir() else [register]
        if register.is_dir():
            copy.mkdir()
        for file in files:
            target = copy / file.name if register.is_dir() else copy
            if file in texts:
                target.write_bytes(texts[file].encode())
            else:
                shutil.copyfile(file, target)
        try:
            load_register(copy)
        except RegisterError as exc:
            problems = str(exc).replace(str(copy), str(register))
            raise PatchError(
                f"with this plan the register would not be valid, so there is no patch:\n{problems}"
            ) from exc
