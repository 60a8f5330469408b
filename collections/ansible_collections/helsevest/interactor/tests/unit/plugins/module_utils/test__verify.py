# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol's files: who may read them, what an earlier one and a file of answers do, and every way to be wrong."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._verify import ARGUMENT_SPEC, VerifyError, answer

from tests.pwsh.fixtures import ROOT

FILE = ROOT / "roles" / "verify" / "files" / "checklist.yml"
CONTRACT = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))[
    "vendor_contract"
]
FOUND: dict[str, Any] = {"cloud": {"changed": False, "attempts": []}}


def ask(folder: Path, *, check: bool = False, **options: Any) -> dict[str, Any]:
    given = {"checklist": str(FILE), "name": "Kari", "contract": CONTRACT, "step": "write", "found": FOUND}
    given |= {"host": "1001-server", "site": "1001", "commit": "", "begun": 1.0, "dir": str(folder / "report")}
    return answer({**dict.fromkeys(ARGUMENT_SPEC), **given, **options}, check_mode=check)


def row(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in told["protocol"]["rows"] if each["id"] == name)
    return found


def test_the_files_are_their_owners_alone(tmp_path: Path):
    told = ask(tmp_path)
    paths = [tmp_path / "report" / f"verify-1001-server.{kind}" for kind in ("json", "md")]
    assert told["files"] == [str(path) for path in paths]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600]
    assert json.loads(paths[0].read_text(encoding="utf-8")) == told["protocol"]
    assert paths[1].read_text(encoding="utf-8").startswith("# Checklist for a real server: 1001-server\n")
    assert (told["changed"], told["protocol"]["commit"], row(told, "7k")["result"]) == (True, None, "passed")


def test_a_dry_run_writes_nothing(tmp_path: Path):
    told = ask(tmp_path, check=True)
    assert (told["changed"], told["files"], told["protocol"]["dry"]) == (False, [], True)
    assert list(tmp_path.iterdir()) == []


def test_what_was_seen_stays_and_the_command_line_goes_before_the_file(tmp_path: Path):
    file = tmp_path / "seen.yml"
    file.write_text('"1a": failed\n5: {result: passed, who: Ola, date: 2020-01-02}\n', encoding="utf-8")
    told = ask(tmp_path, answers=str(file), seen='{"1a": passed}')
    assert [row(told, name)["result"] for name in ("1a", "5")] == ["passed", "passed"]
    later = ask(tmp_path, seen={"5": "open"})
    assert (row(later, "1a")["result"], row(later, "1a")["seen"]["who"], row(later, "5")["result"]) == (
        "passed",
        "Kari",
        "open",
    )
    other = ask(tmp_path, site="1002")
    assert row(other, "1a")["result"] == "open", "that was another site's"


def test_all_that_is_wrong_is_told_before_anybody_is_asked(tmp_path: Path):
    file = tmp_path / "seen.yml"
    file.write_text("99: passed\n5: maybe\n", encoding="utf-8")
    with pytest.raises(VerifyError) as told:
        ask(tmp_path, step="read", answers=str(file), seen={"3": "passed"})
    lines = str(told.value).splitlines()
    assert [line.partition("; allowed")[0] for line in lines] == [
        f"{file}: row '99': is none of the checklist",
        f"{file}: row '5': result: is 'maybe'",
        "verify_seen: row '3': is found out by itself",
    ]
    assert all("allowed are" in line for line in lines)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: [\nb: 1", "seen.yml:2:"),
        (b"a: \xff", "is no UTF-8 text"),
        (b"- a", "is ['a']; a mapping of rows"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_of_answers_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, says: str):
    file = tmp_path / "seen.yml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(VerifyError) as told:
        ask(tmp_path, step="read", answers=str(file))
    assert str(told.value).startswith(str(file))
    assert says in str(told.value)


def test_a_text_that_is_no_yaml_is_told(tmp_path: Path):
    with pytest.raises(VerifyError, match=r"verify_seen: is .\{.; a mapping of rows"):
        ask(tmp_path, step="read", seen="{")


def test_a_contract_that_cannot_be_right_is_refused(tmp_path: Path):
    with pytest.raises(VerifyError, match=r"service\.name"):
        ask(tmp_path, step="read", contract={**CONTRACT, "service": {**CONTRACT["service"], "name": ""}})


def test_a_damaged_protocol_is_not_written_over(tmp_path: Path):
    ask(tmp_path)
    path = tmp_path / "report" / "verify-1001-server.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(VerifyError, match="is no JSON; it holds what people have seen"):
        ask(tmp_path)
    path.chmod(0o644)
    with pytest.raises(VerifyError, match="others may read it"):
        ask(tmp_path)


def test_what_write_needs_is_asked_for(tmp_path: Path):
    with pytest.raises(VerifyError, match="missing: host, dir"):
        ask(tmp_path, host=None, dir=None)


def test_read_tells_what_is_seen_and_contacts_nobody(tmp_path: Path):
    told = ask(tmp_path, step="read", seen={"5": "passed"})
    assert (told["changed"], told["seen"], told["rows"]) == (
        False,
        ["5"],
        len(yaml.safe_load(FILE.read_text("utf-8"))["rows"]),
    )
