#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: a plan in, its files out: data, page, calendars and the patch of the register."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_plan_files
short_description: Write a plan as data, page, calendar files and a patch of the register
author:
  - The Interactor move project (@helsevest)
description:
  - Writes C(plan.json) (which the next plan takes as the previous one), C(plan.html), C(moves.ics), C(upgrades.ics),
    C(mornings.ics) and C(plan.patch) into O(dir), with mode 0640.
  - All of them are made before the first is written, and each is written whole. The same plan gives the same bytes,
    and keeps the time at which it was first made.
  - The patch is tried on a copy of the register first. It is never applied here; a person reads and applies it. Where
    the register says all that the plan says, there is no patch, and an old one is removed.
  - An event that was planned and no longer is stays in its calendar file, cancelled.
  - Runs on the controller and contacts no host.
options:
  plan:
    description: The plan, as M(helsevest.interactor.site_plan) returns it.
    type: dict
    required: true
  dir:
    description: The folder of the files; made where it is missing, with mode 0750.
    type: path
    required: true
  register:
    description: The folder of the register, or its one file.
    type: path
    required: true
  page:
    description: The template of the page.
    type: path
    required: true
  title:
    description: The title of the page and the calendars.
    type: str
    required: true
  root:
    description:
      - The folder to which the paths in the patch are relative. Where the register lies elsewhere, its own parent is.
      - The folder in which Ansible was started, if left out.
    type: path
attributes:
  check_mode:
    support: full
    description: All is made and tried, and nothing is written.
  diff_mode:
    support: none
    description: The patch holds lines of the register, and these do not belong in a log.
requirements:
  - icalendar >= 6
  - jinja2
  - pydantic >= 2.11
"""

EXAMPLES = r"""
- name: Write the files of a plan
  helsevest.interactor.site_plan_files:
    plan: "{{ made.plan }}"
    dir: var/production/plan
    register: inventories/production/register
    page: "{{ role_path }}/templates/plan.html.j2"
    title: The move
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
written:
  description: The names of the files that were written or removed (in check mode, that would be).
  type: list
  elements: str
  returned: success
patch:
  description: Whether there is a patch to apply.
  type: bool
  returned: success
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._calendar_files import calendar_file
from ..module_utils._domain.plan_events import team_events
from ..module_utils._domain.plan_view import same_plan
from ..module_utils._domain.times import parse_time
from ..module_utils._plan_page import plan_page
from ..module_utils._plan_patch import PatchError, register_patch
from ..module_utils._register_file import EditError
from ..module_utils._write_files import write_files

MODE = 0o640


def made_files(params: Mapping[str, Any]) -> dict[str, bytes | None]:
    """Every file by its name (None: there shall be none); nothing is written."""
    folder, plan = Path(params["dir"]), params["plan"]
    kept = read(folder / "plan.json")
    if kept is not None:
        try:
            earlier = json.loads(kept)
        except ValueError as exc:
            raise ValueError(f"{folder / 'plan.json'} is no plan ({exc}); take it away and try again") from exc
        plan = earlier if same_plan(earlier, plan) else plan
    patch = register_patch(plan, Path(params["register"]), Path(params["root"] or Path.cwd()))
    files: dict[str, bytes | None] = {"plan.patch": patch.encode() or None}
    files["plan.html"] = plan_page(Path(params["page"]), params["title"], plan).encode()
    for name, events in team_events(plan).items():
        target = folder / f"{name}.ics"
        try:
            files[target.name] = calendar_file(params["title"], events, parse_time(plan["made"]), read(target))
        except ValueError as exc:
            raise ValueError(f"{target} is no calendar of a plan ({exc}); take it away and try again") from exc
    files["plan.json"] = (json.dumps(plan, indent=2, ensure_ascii=False) + "\n").encode()
    return files


def read(path: Path) -> bytes | None:
    """The content of a file, None where there is none."""
    return path.read_bytes() if path.exists() else None


def write(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """Put the files in their places together, and take away what shall not be there."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_files({folder / name: content for name, content in files.items() if content is not None}, mode=MODE)
    for name, content in files.items():
        if content is None:
            (folder / name).unlink()


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "plan": {"type": "dict", "required": True},
            "dir": {"type": "path", "required": True},
            "register": {"type": "path", "required": True},
            "page": {"type": "path", "required": True},
            "title": {"type": "str", "required": True},
            "root": {"type": "path"},
        },
        supports_check_mode=True,
    )
    folder = Path(module.params["dir"])
    try:
        files = made_files(module.params)
        changed = [name for name, content in files.items() if read(folder / name) != content]
        if changed and not module.check_mode:
            write(folder, {name: files[name] for name in changed})
    except OSError as exc:
        module.fail_json(msg=f"site_plan_files: {exc.filename}: {exc.strerror}")
    except (EditError, ImportError, KeyError, PatchError, TypeError, ValueError) as exc:
        module.fail_json(msg=f"site_plan_files: {type(exc).__name__}: {exc}")
    module.exit_json(changed=bool(changed), written=changed, patch=files["plan.patch"] is not None)


if __name__ == "__main__":
    main()
