# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a register that was kept is still the same."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.helsevest.interactor.plugins.module_utils._inventory import fingerprint


def test_a_register_is_the_same_until_a_file_of_it_changes(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("sites: []\n")
    seen = [fingerprint(tmp_path)]
    os.utime(tmp_path / "a.yml", (1, 1))
    (tmp_path / ".hidden.yml").write_text("x")
    assert fingerprint(tmp_path) == seen[0]
    (tmp_path / "a.yml").write_text("waves: []\n")
    os.utime(tmp_path / "a.yml", (1, 1))
    seen.append(fingerprint(tmp_path))
    (tmp_path / "a.yml").rename(tmp_path / "b.yml")
    seen.append(fingerprint(tmp_path))
    (tmp_path / "c.yml").touch()
    seen.append(fingerprint(tmp_path))
    (tmp_path / "c.yml").unlink()
    (tmp_path / "b.yml").unlink()
    seen.append(fingerprint(tmp_path))
    seen.append(fingerprint(tmp_path / "nowhere"))
    assert len(set(seen)) == len(seen)
