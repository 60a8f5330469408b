# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_selfcheck_files does: the self-check's script, and a folder for each site, out of our own PowerShell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ._domain.contract import contract_problems
from ._domain.selfcheck_build import LETTER, SCRIPT, STARTER, build_script, letter, signed_script, starter
from ._domain.site import Site
from ._gate import ARGUMENT_SPEC as GATE_SPEC
from ._write_files import write_files

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "signed": {"type": "path"},
    **{name: GATE_SPEC[name] for name in ("sites", "contract")},
}


class FilesError(Exception):
    """The files cannot be made or written; the text is for whoever started the run."""


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Write the script and a folder per site, where they are not there as they shall be.

    Raises FilesError when the contract, the signed script or the folder is at fault.
    """
    try:
        return _answer(params, check_mode)
    except OSError as exc:
        raise FilesError(f"site_selfcheck_files: {exc.filename}: {exc.strerror}") from None
    except (KeyError, TypeError, ValueError) as exc:
        # What a site's variables hold may be about its contact.
        told = f": {exc}" if isinstance(exc, ValueError) else " in the sites"
        raise FilesError(f"site_selfcheck_files: {type(exc).__name__}{told}") from None


def _answer(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    if problems := contract_problems(params["contract"]):
        raise FilesError("\n".join(["site_selfcheck_files: what is assumed of the vendor cannot be right:", *problems]))
    folder = Path(params["path"]).expanduser()
    modules = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.psm1")}
    script = build_script(modules, params["contract"]).encode()
    given = script
    if params["signed"]:
        signed = Path(params["signed"]).expanduser()
        given = signed_script(str(signed), signed.read_bytes(), script)
    wanted = {folder / SCRIPT: script}
    for site in (Site.from_vars(variables) for variables in params["sites"]):
        wanted |= {
            folder / site.id / SCRIPT: given,
            folder / site.id / STARTER: starter(site).encode(),
            folder / site.id / LETTER: letter(site).encode(),
        }
    new = {path: content for path, content in wanted.items() if not _is_there(path, content)}
    if not check_mode:
        for path in new:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_files(new)
    return {"changed": bool(new), "files": sorted(map(str, new)), "signed": bool(params["signed"])}


def _is_there(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
