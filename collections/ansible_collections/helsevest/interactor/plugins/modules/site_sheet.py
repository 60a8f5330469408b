#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: a table of sites (XLSX, CSV) into the register, or the register out as a table."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_sheet
short_description: Import a table of sites into the register, or export the register as a table
author:
  - The Interactor move project (@helsevest)
description:
  - Reads and writes the table that a team keeps of its sites, as XLSX or CSV, with Norwegian headings and dates.
    C(docs/register.md) lists the columns.
  - An import fills in what the register lacks. Comments, order and other sites in the files stay as they are. An empty
    cell takes nothing away. What the register says otherwise is a conflict; then nothing at all is written.
    The same goes for a file that is changed while the import runs.
  - Columns about the person who signs an agreement are left out.
  - Runs on the controller and contacts no host.
options:
  state:
    description: Whether the table is brought into the register or written from it.
    type: str
    choices: [imported, exported]
    required: true
  register:
    description: The folder of the register.
    type: path
    required: true
  table:
    description:
      - The table, an C(.xlsx) or C(.csv) file. The clients are its second sheet, or the file C(x.klienter.csv) beside
        C(x.csv).
      - An export replaces it, with mode 0600, for it names contacts.
    type: path
    required: true
  overwrite:
    description: Whether an import replaces what the register says otherwise.
    type: bool
    default: false
  new_file:
    description: The file in the register's folder to which sites that are new are added.
    type: str
    default: sites.yml
  difference_file:
    description:
      - A file for the whole difference and the conflicts of an import, with mode 0600, for it may hold personal data.
      - Without it, only what the result shows is known.
    type: path
attributes:
  check_mode:
    support: full
    description: Says what would change and writes nothing.
  diff_mode:
    support: full
    description: Shows the difference without what may be personal.
requirements:
  - pydantic >= 2.11
  - openpyxl >= 3.1 (for XLSX)
seealso:
  - module: helsevest.interactor.site_register
"""

EXAMPLES = r"""
- name: See what the answers would change
  helsevest.interactor.site_sheet:
    state: imported
    register: inventories/production/register
    table: answers.xlsx
  check_mode: true
  diff: true
  delegate_to: localhost

- name: Write the register as a table
  helsevest.interactor.site_sheet:
    state: exported
    register: inventories/production/register
    table: sites.xlsx
  delegate_to: localhost
"""

RETURN = r"""
difference:
  description: The unified difference of the register, without surrounding lines, comments and what may be personal.
  type: str
  returned: when imported
conflicts:
  description: What the register says otherwise; what may be personal is hidden.
  type: list
  elements: dict
  returned: when imported
  sample:
    - site: "1001"
      field: county
      place: "register/sites.yml:7"
      register: Vestland
      table: Rogaland
      cell: "answers.xlsx: Kontor, row 2, Fylke"
left_out:
  description: Headings of columns about the person who signs; C(playbooks/agreements.yml) reads them.
  type: list
  elements: str
  returned: when imported
new_sites:
  description: The ids of the sites that are new.
  type: list
  elements: str
  returned: when imported
files:
  description: The files that are written, or would be.
  type: list
  elements: str
  returned: success
problems:
  description: All that is wrong in the table or the register, one line each.
  type: list
  elements: str
  returned: failure
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._domain.sheet import SheetError
from ..module_utils._register import RegisterError, load_register
from ..module_utils._register_edit import EditError
from ..module_utils._sheet import table_bytes
from ..module_utils._sheet_import import import_table
from ..module_utils._write_files import write_files


def imported(module: AnsibleModule) -> dict[str, Any]:
    """Bring the table in, or fail with the conflicts and everything else as it was."""
    register, full = Path(module.params["register"]), module.params["difference_file"]
    found = import_table(
        register,
        Path(module.params["table"]),
        overwrite=module.params["overwrite"],
        new_file=register / module.params["new_file"] if register.is_dir() else None,
    )
    told = {
        "difference": found.shown,
        "conflicts": list(found.conflicts),
        "left_out": list(found.left_out),
        "new_sites": list(found.new_sites),
        "files": sorted(map(str, found.edited.texts)),
        "diff": {"prepared": found.shown},
    }
    if full and found.difference and not module.check_mode:
        Path(full).parent.mkdir(parents=True, exist_ok=True)
        write_files({Path(full): found.difference.encode()}, mode=0o600)
    if found.conflicts:
        where = f"; all values are in {full}" if full and not module.check_mode else ""
        lines = [
            "site {site}: {field}: {register} at {place}, {table} in the table ({cell})".format(**conflict)
            for conflict in found.conflicts
        ]
        problem = f"the register says otherwise in {len(lines)} place(s), so nothing is written{where}"
        module.fail_json(msg="\n".join([problem, *lines]), problems=lines, **told)
    if not module.check_mode:
        texts = {path: text.encode() for path, text in found.edited.texts.items()}
        write_files(texts, started=found.edited.before)
    return {"changed": bool(found.edited.texts), **told}


def exported(module: AnsibleModule) -> dict[str, Any]:
    """Write the whole register as a table."""
    register = load_register(module.params["register"])
    sites = [site.model_dump(mode="json", by_alias=True) for site in register.sites]
    files = table_bytes(sites, Path(module.params["table"]))
    if not module.check_mode:
        write_files(files, mode=0o600)
    return {"changed": True, "files": sorted(map(str, files))}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["imported", "exported"], "required": True},
            "register": {"type": "path", "required": True},
            "table": {"type": "path", "required": True},
            "overwrite": {"type": "bool", "default": False},
            "new_file": {"type": "str", "default": "sites.yml"},
            "difference_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    new_file = module.params["new_file"]
    if Path(new_file).name != new_file or not new_file.endswith(".yml") or new_file.startswith("."):
        module.fail_json(msg=f"new_file: '{new_file}' is no name of a register file (allowed: name.yml)", problems=[])
    try:
        result = imported(module) if module.params["state"] == "imported" else exported(module)
    except (SheetError, RegisterError) as exc:
        problems = [str(problem) for problem in exc.problems]
        what = "table" if isinstance(exc, SheetError) else "register, with the table's answers in it,"
        module.fail_json(msg=f"the {what} has {len(problems)} problem(s); nothing is written\n{exc}", problems=problems)
    except (EditError, ImportError) as exc:
        module.fail_json(msg=str(exc), problems=[])
    except OSError as exc:
        module.fail_json(msg=f"{exc.filename}: {exc.strerror}; nothing is written", problems=[])
    module.exit_json(**result)


if __name__ == "__main__":
    main()
