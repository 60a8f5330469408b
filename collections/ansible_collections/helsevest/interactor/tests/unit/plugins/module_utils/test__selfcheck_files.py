# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The self-check's folder for each site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._selfcheck_files import FilesError, answer

from .test__gate import CONTRACT, SITE

SIGNATURE = b"\r\n# SIG # Begin signature block\r\n# MIIa\r\n# SIG # End signature block\r\n"


@pytest.fixture
def params(tmp_path: Path) -> dict[str, Any]:
    sites = [{"interactor_site": {**SITE, "id": id}} for id in ("1001", "1002")]
    return {"path": str(tmp_path / "out"), "signed": None, "sites": sites, "contract": CONTRACT}


def files(params: dict[str, Any]) -> dict[str, bytes]:
    folder = Path(params["path"])
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_for_each_site_and_one_script_to_sign(params: dict[str, Any]):
    told = answer(params, check_mode=False)
    written = files(params)
    assert (told["changed"], told["signed"], len(told["files"])) == (True, False, 7)
    assert sorted(written) == ["1001/LESMEG.txt", "1001/Selvsjekk.cmd", "1001/Selvsjekk.ps1", "1002/LESMEG.txt",
                               "1002/Selvsjekk.cmd", "1002/Selvsjekk.ps1", "Selvsjekk.ps1"]  # fmt: skip
    assert written["Selvsjekk.ps1"] == written["1001/Selvsjekk.ps1"] == written["1002/Selvsjekk.ps1"]
    assert b'-Site "1002"' in written["1002/Selvsjekk.cmd"]
    assert answer(params, check_mode=False)["changed"] is False


def test_in_check_mode_nothing_is_written(params: dict[str, Any]):
    assert answer(params, check_mode=True)["changed"] is True
    assert not Path(params["path"]).exists()


def test_the_signed_script_goes_to_the_sites_and_the_bare_one_stays(params: dict[str, Any], tmp_path: Path):
    answer(params, check_mode=False)
    bare = files(params)["Selvsjekk.ps1"]
    signed = tmp_path / "signed.ps1"
    signed.write_bytes(bare + SIGNATURE)
    told = answer({**params, "signed": str(signed)}, check_mode=False)
    assert (told["signed"], len(told["files"])) == (True, 2)
    assert files(params)["1001/Selvsjekk.ps1"] == bare + SIGNATURE
    assert files(params)["Selvsjekk.ps1"] == bare


def test_what_is_signed_and_is_another_is_refused(params: dict[str, Any], tmp_path: Path):
    signed = tmp_path / "signed.ps1"
    signed.write_bytes(b"exit" + SIGNATURE)
    with pytest.raises(FilesError, match=r"signed\.ps1: is a signed copy of another script"):
        answer({**params, "signed": str(signed)}, check_mode=False)
    with pytest.raises(FilesError, match=r"nowhere\.ps1: No such file"):
        answer({**params, "signed": str(tmp_path / "nowhere.ps1")}, check_mode=False)
    assert not Path(params["path"]).exists()


def test_a_contract_that_cannot_be_right(params: dict[str, Any]):
    with pytest.raises(FilesError, match="speed"):
        answer({**params, "contract": {**CONTRACT, "speed": 1}}, check_mode=False)


def test_what_is_wrong_with_the_sites_is_told_without_their_contact(params: dict[str, Any]):
    with pytest.raises(FilesError, match="KeyError in the sites"):
        answer({**params, "sites": [{"interactor_site": {"contact": "Kari"}}]}, check_mode=False)
