#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: a folder of register files in, what is wrong with them or how much is in them out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_register
short_description: Validate the site register before any host is contacted
author:
  - The Interactor move project (@helsevest)
description:
  - Reads every file of the register and fails with all that is wrong in it, each problem with file, line, column, site,
    field, value and what is allowed. Values that may be personal are not shown.
  - Can write the JSON Schema by which editors check and complete the register while it is written.
  - Runs on the controller and contacts no host.
options:
  path:
    description: The folder of the register, or one file.
    type: str
    required: true
  export_schema:
    description: A file to write the JSON Schema of a register file to.
    type: path
attributes:
  check_mode:
    support: full
    description: Says whether the schema would be written and writes nothing.
requirements:
  - pydantic >= 2.11
seealso:
  - plugin: helsevest.interactor.sites
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Validate the register
  helsevest.interactor.site_register:
    path: inventories/production/register
  delegate_to: localhost
  run_once: true

- name: Bring the editor's schema up to date
  helsevest.interactor.site_register:
    path: inventories/demo/register
    export_schema: docs/register.schema.json
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
sites:
  description: How many sites the register holds.
  type: int
  returned: success
clients:
  description: How many client PCs the sites have.
  type: int
  returned: success
waves:
  description: The ids of the waves.
  type: list
  elements: int
  returned: success
wave_vars:
  description: The waves as C(interactor_wave), also those without a site, in order of their ids.
  type: list
  elements: dict
  returned: success
problems:
  description: All that is wrong, one line of text each, in order of place.
  type: list
  elements: str
  returned: always
  sample:
    - "register/wave1.yml:14:11: site 1002: history_months: '24' - is out of range (allowed: 12 to 18)"
"""

import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._register import RegisterError, json_schema, load_register


def export(module: AnsibleModule, target: Path) -> bool:
    """Write the schema to `target` where it differs; whether it differed."""
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    try:
        if target.exists() and target.read_text(encoding="utf-8") == text:
            return False
        if not module.check_mode:
            fresh = Path(module.tmpdir) / target.name
            fresh.write_text(text, encoding="utf-8")
            module.atomic_move(os.fspath(fresh), os.fspath(target))
    except OSError as exc:
        module.fail_json(msg=f"export_schema: {target} cannot be written: {exc.strerror}", problems=[])
    return True


def main() -> None:
    module = AnsibleModule(
        argument_spec={"path": {"type": "str", "required": True}, "export_schema": {"type": "path"}},
        supports_check_mode=True,
    )
    try:
        register = load_register(module.params["path"])
    except RegisterError as exc:
        problems = [str(problem) for problem in exc.problems]
        module.fail_json(msg=f"the register has {len(problems)} problem(s)\n{exc}", problems=problems)
    except ImportError as exc:
        module.fail_json(msg=str(exc), problems=[])
    schema = module.params["export_schema"]
    module.exit_json(
        changed=export(module, Path(schema)) if schema else False,
        sites=len(register.sites),
        clients=sum(len(site.clients) for site in register.sites),
        waves=sorted(register.waves),
        wave_vars=[register.wave_vars(number) for number in sorted(register.waves)],
        problems=[],
    )


if __name__ == "__main__":
    main()
