# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agreements on the controller: list, file and journal over several runs, and runs that die between."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.helsevest.interactor.plugins.action import site_agreements
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal
from ansible_collections.helsevest.interactor.plugins.plugin_utils import _agreements

NAME, BORN, ADDRESS = "Kanarifugla Undulat", "1961-07-29", "Papegøyestien 77"
CANARIES = ("Kanarifugla", "Undulat", "1961", "61-07-29", "29.07", "29.7", "Papegøyestien", "Papeg\\u00f8yestien")
PLAIN = f"signatories:\n  1001: {{name: {NAME}, born: {BORN}, address: {ADDRESS}}}\n"
BOTH = f"{PLAIN}  1002: {{name: Li Bo, born: 1980-01-01, address: null}}\n"
SITE: dict[str, Any] = {
    "id": "1001",
    "name": "Fjordgata legekontor",
    "kind": "gp_office",
    "county": "Vestland",
    "language": "nn",
    "epj": None,
    "wave": None,
    "move_date": None,
    "mode": "server_in_cloud",
    "window": {"weekdays": ["mon"], "from": "20:00", "to": "06:00"},
    "asked": None,
    "closed": [],
    "contact": {"name": "Astrid", "email": "a@b.example", "phone": "1", "weekends": False},
    "agreement": {"status": "missing", "form": "paper", "sent": None, "signed": None, "reference": None},
    "signatory_known": True,
    "ros": {"requested": False, "sent": None},
    "confirmed": {"urls": "2024-04-20", "proxy": "2024-04-20"},
    "history_months": 12,
    "clients": [{"name": "pc1"}],
    "shared_server": None,
}
Statuses = dict[str, str]


def secret(text: str) -> VaultSecret:
    return VaultSecret(text.encode())


class Office:
    """The controller's folder, and one run after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file, self.list = folder / "signatories.vault.yml", folder / "state" / "agreements" / "lookup.csv"
        self.journal = Journal(str(folder / "journal.sqlite"))
        self.secrets: list[tuple[str, VaultSecret]] = [("office", secret("right"))]
        self.told: list[dict[str, Any]] = []

    def keep(self, text: str = PLAIN, label: str = "office") -> None:
        encrypted = VaultLib().encrypt(text.encode(), secret=secret("right"), vault_id=label)
        self.file.write_bytes(encrypted)
        self.file.chmod(0o600)

    def content(self) -> str:
        return VaultLib([("x", secret("right"))]).decrypt(self.file.read_bytes()).decode()

    def run(self, *, check: bool = False, statuses: Statuses | None = None, **options: Any) -> dict[str, Any]:
        """Run with sites by status; the result holds nothing of a person, whatever it says."""
        sites = []
        for site, status in (statuses or {"1001": "missing"}).items():
            sent = None if status == "missing" else "2024-04-01"
            signed = "2024-04-15" if status == "signed" else None
            agreement = {**SITE["agreement"], "status": status, "sent": sent, "signed": signed}
            sites.append({"interactor_site": {**copy.deepcopy(SITE), "id": site, "agreement": agreement}})
        arguments = {
            "signatories": str(self.file),
            "list": str(self.list),
            "sites": sites,
            "known": ["1001", "1002"],
            "journal": str(self.folder / "journal.sqlite"),
            "name": "Kari",
            **options,
        }
        loader = DataLoader()
        loader.set_vault_secrets(self.secrets)
        task = SimpleNamespace(args=arguments, check_mode=check, async_val=0, action="site_agreements")
        shell = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        action = site_agreements.ActionModule(task, shell, SimpleNamespace(), loader, None, None)
        action._early_needs_tmp_path = lambda: False
        result: dict[str, Any] = action.run(task_vars={})
        assert not [canary for canary in CANARIES if canary in repr(result)]
        return result

    def recorded(self) -> list[tuple[str, str | None, dict[str, Any]]]:
        return [(event.kind.value, event.site, dict(event.data)) for event in self.journal.events()]

    def untouched(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


SIGNED = {"1001": "signed"}
NOTED = ("signatory_noted", "1001", {})


def removed(reason: str = "signed", entry: str = "removed") -> tuple[str, str, dict[str, str]]:
    return ("signatory_removed", "1001", {"name": "Kari", "reason": reason, "entry": entry})


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "office")
    office.folder.mkdir()
    return office


def test_from_the_answer_to_the_signature(office: Office):
    assert office.run()["lacking"] == ["1001"]
    office.keep()
    listed = office.run()
    assert (listed["changed"], listed["look_up"], listed["list"]) == (True, ["1001"], str(office.list))
    assert office.list.read_text(encoding="utf-8-sig").splitlines() == [
        "Nr.;Kontor;Navn;Født;Adresse;Signering",
        f"1001;Fjordgata legekontor;{NAME};29.07.1961;{ADDRESS};på papir",
    ]
    assert office.run()["changed"] is False
    sent = office.run(statuses={"1001": "sent"})
    assert (sent["changed"], sent["list"], sent["unsigned"]) == (True, None, {"1001": "2024-04-01"})
    assert not office.list.exists()
    assert NAME in office.content(), "kept until it is signed"
    signed = office.run(statuses=SIGNED)
    assert (signed["changed"], signed["removed"]) == (True, ["1001"])
    assert office.content() == "---\nsignatories: {}\n"
    assert office.recorded() == [NOTED, removed()]
    assert office.run(statuses=SIGNED)["changed"] is False
    assert not [canary for canary in CANARIES for text in office.untouched().values() if canary.encode() in text]


def test_the_others_stay_as_they_are_under_the_same_secret_and_label(office: Office):
    office.keep(BOTH, label="team")
    office.secrets = [("default", secret("wrong")), ("team", secret("right"))]
    office.run(statuses={"1001": "signed", "1002": "missing"})
    assert office.file.read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;team\n")
    assert NAME not in office.content()
    assert "Li Bo" in office.content()
    office.keep(BOTH, label="default")
    office.secrets = [("default", secret("right"))]
    office.run(statuses={"1001": "signed"})
    assert office.file.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    assert "Li Bo" in office.content(), "a run for one site leaves the others"


def test_check_mode_says_what_it_would_do_and_writes_nothing(office: Office):
    office.keep(BOTH)
    before = office.untouched()
    statuses = {"1001": "signed", "1002": "missing"}
    dry = office.run(check=True, statuses=statuses)
    assert office.untouched() == before
    assert office.run(statuses=statuses) == dry
    assert (dry["removed"], dry["look_up"], dry["changed"]) == (["1001"], ["1002"], True)


@pytest.mark.parametrize("where", ["before the file is replaced", "after it"])
def test_a_run_that_died_is_made_up_for_and_recorded_once(office: Office, monkeypatch: pytest.MonkeyPatch, where: str):
    """The process dies, so that nothing after that moment happens."""
    office.keep()
    office.run()
    replace = _agreements.VaultFile.replace

    def dies(file: Any, text: bytes) -> None:
        if where == "after it":
            replace(file, text)
        raise KeyboardInterrupt

    monkeypatch.setattr(_agreements.VaultFile, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        office.run(statuses=SIGNED)
    assert office.recorded() == [NOTED]
    monkeypatch.undo()
    assert office.run(statuses=SIGNED)["removed"] == ["1001"]
    assert office.recorded() == [NOTED, removed(entry="gone" if where == "after it" else "removed")]
    assert office.content() == "---\nsignatories: {}\n"
    assert office.run(statuses=SIGNED)["changed"] is False


def test_what_a_killed_run_left_in_the_clear_goes_with_the_next(office: Office):
    office.keep()
    office.run()
    left = office.list.with_name(".lookup-abcd1234.csv")
    left.write_text(NAME, encoding="utf-8")
    assert office.run(check=True)["changed"] is False
    assert left.exists()
    assert office.run()["changed"] is False
    assert not left.exists()


def test_what_cannot_be_recorded_is_not_removed(office: Office):
    office.keep()
    failed = office.run(statuses=SIGNED, journal="sqlite:////proc/nowhere/journal.sqlite")
    assert failed["failed"]
    assert "journal" in failed["msg"]
    assert NAME in office.content()


def test_an_entry_that_comes_back_is_removed_and_recorded_again(office: Office):
    for _ in range(2):
        office.keep()
        office.run(statuses=SIGNED)
    assert office.recorded() == [NOTED, removed(), NOTED, removed()]


def test_removed_by_hand_with_a_reason(office: Office):
    office.keep(BOTH)
    office.run()
    assert "agreements_reason: is missing" in office.run(remove=["1001"])["msg"]
    assert "of the signatory's own data" in office.run(remove=["1001"], reason="undulat has left")["msg"]
    assert "agreements_remove: names what is no site" in office.run(remove=["9", NAME], reason="withdrew")["msg"]
    assert NAME in office.content()
    done = office.run(remove="1001", reason="the office withdrew")
    assert (done["removed"], done["list"]) == (["1001"], None)
    assert not office.list.exists()
    assert NAME not in office.content()
    assert office.recorded()[-1] == removed("the office withdrew")
    again = office.run(remove=["1001"], reason="the office withdrew")
    assert (again["changed"], again["removed"]) == (False, [])
    assert "nothing to remove: 1001" in again["lines"]


def test_an_entry_of_a_site_that_left_the_register_can_be_removed(office: Office):
    office.keep(BOTH)
    office.run()
    assert "is no site of the register" in office.run(known=["1002"], statuses={"1002": "missing"})["msg"]
    gone = office.run(known=["1002"], statuses={"1002": "missing"}, remove=["1001"], reason="closed down")
    assert gone["removed"] == ["1001"]
    assert NAME not in office.content()


def test_a_file_that_is_missing_is_no_removal(office: Office):
    office.keep()
    office.run()
    office.file.unlink()
    for statuses in ({"1001": "missing"}, SIGNED):
        assert "it held entries of 1001" in office.run(statuses=statuses)["msg"]
    assert office.recorded() == [NOTED]
    assert office.run(remove=["1001"], reason="the file was deleted")["removed"] == ["1001"]
    assert office.recorded()[-1] == removed("the file was deleted", "gone")
    assert "failed" not in office.run()


def test_an_entry_taken_out_by_hand_is_asked_about(office: Office):
    office.keep()
    office.run()
    office.keep("signatories: {}\n")
    assert office.run()["unexplained"] == ["1001"]


TABLE = f"Kontornr;Signatar;Født;Privat adresse\n1001;{NAME};{BORN};{ADDRESS}\n1002;Li Bo;;\n"


def answers(office: Office, text: str = TABLE) -> str:
    path = office.folder / "answers.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_answers_of_a_table_are_taken_in(office: Office):
    statuses = {"1001": "missing", "1002": "missing"}
    dry = office.run(statuses=statuses, answers=answers(office), check=True)
    assert not office.file.exists()
    done = office.run(statuses=statuses, answers=answers(office))
    assert done == dry
    assert (done["changed"], done["look_up"], done["lacking"]) == (True, ["1001"], ["1002"])
    assert "not taken in, name or date of birth is missing in the table: 1002" in done["lines"]
    assert office.file.read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;office\n")
    assert office.file.stat().st_mode & 0o777 == 0o600
    assert NAME in office.content()
    assert office.run(statuses=statuses, answers=answers(office))["changed"] is False
    assert office.run(statuses={"1001": "signed"}, answers=answers(office))["removed"] == ["1001"]
    assert office.run(statuses={"1001": "signed"}, answers=answers(office))["changed"] is False
    assert office.content() == "---\nsignatories: {}\n"


def test_answers_that_say_something_else_are_refused_by_site_and_field(office: Office):
    office.keep(PLAIN.replace(BORN, "1971-01-01"))
    before = office.content()
    told = office.run(answers=answers(office))
    assert "site 1001: born: is another than that of the signatories' file" in told["msg"]
    assert "name" not in told["msg"]
    assert office.content() == before
    assert office.run(answers=answers(office), overwrite=True)["changed"] is True
    assert BORN in office.content()


def test_answers_bring_nobody_back_who_was_removed_by_hand(office: Office):
    office.keep()
    office.run()
    office.run(remove=["1001"], reason="the office withdrew")
    again = office.run(answers=answers(office))
    assert (again["changed"], again["look_up"]) == (False, [])
    assert "not taken in, removed before (agreements_overwrite takes them in again): 1001" in again["lines"]
    assert office.run(answers=answers(office), overwrite=True)["look_up"] == ["1001"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLE.replace(BORN, "29.7.61"), "answers.csv:2: site 1001: born: is no date"),
        (TABLE.replace(NAME, f"={NAME}"), "answers.csv:2: site 1001: name: is no plain value"),
        (TABLE.replace("1001", NAME), "answers.csv:2: is no site of the register"),
        (f"Kontornr;Født;Født;Signatar\n1001;{BORN};{BORN};{NAME}\n", "born: stands twice"),
        (f'Kontornr;Født;Signatar\n1001;{BORN};"{NAME}\n', "is no CSV"),
        ("", "is empty"),
    ],
)
def test_a_table_with_something_wrong_is_refused_as_a_whole(office: Office, text: str, words: str):
    office.keep(BOTH)
    before = office.content()
    assert words in office.run(answers=answers(office, text))["msg"]
    assert office.content() == before
    assert office.recorded() == []


def test_a_table_in_a_work_tree_must_be_ignored_and_needs_a_secret(office: Office):
    path = answers(office)
    office.secrets = []
    for check in (True, False):
        assert "no vault secret was given for it" in office.run(answers=path, check=check)["msg"]
    assert office.recorded() == []
    subprocess.run(["git", "-C", str(office.folder), "init", "-q"], check=True)
    (office.folder / ".gitignore").write_text("*.vault.yml\n/state/\n")
    assert "answers.csv: lies in a git work tree and is not ignored" in office.run(answers=path)["msg"]


def damaged(office: Office) -> None:
    text = office.file.read_bytes().replace(b"6", b"7")
    office.file.write_bytes(text)


def not_hexadecimal(office: Office) -> None:
    office.file.write_bytes(office.file.read_bytes() + b"zz")


def not_ascii(office: Office) -> None:
    office.file.write_bytes(office.file.read_bytes() + "ø".encode())


def header_only(office: Office) -> None:
    office.file.write_bytes(b"$ANSIBLE_VAULT\n")


def in_the_clear(office: Office) -> None:
    office.file.write_text(PLAIN, encoding="utf-8")


def other_secret(office: Office) -> None:
    office.secrets = [("office", secret("wrong"))]


def no_secret(office: Office) -> None:
    office.secrets = []


def open_to_others(office: Office) -> None:
    office.file.chmod(0o640)


def no_yaml(office: Office) -> None:
    office.keep(f"signatories:\n  1001: {{name: {NAME}, born: *{NAME}\n")


def bad_values(office: Office) -> None:
    office.keep(f"signatories:\n  1001: {{name: {NAME}1, born: 29.7.61, {NAME}: {ADDRESS}}}\n")


def not_utf8(office: Office) -> None:
    encrypted = VaultLib().encrypt(NAME.encode() + b"\xff\xfe", secret=secret("right"), vault_id="office")
    office.file.write_bytes(encrypted)


def tracked(office: Office) -> None:
    for words in (["init", "-q"], ["add", "-f", office.file.name]):
        subprocess.run(["git", "-C", str(office.folder), *words], check=True)
    (office.folder / ".gitignore").write_text("*\n")


def not_ignored(office: Office) -> None:
    subprocess.run(["git", "-C", str(office.folder), "init", "-q"], check=True)
    (office.folder / ".gitignore").write_text("/state/\n")


def list_not_ignored(office: Office) -> None:
    subprocess.run(["git", "-C", str(office.folder), "init", "-q"], check=True)
    (office.folder / ".gitignore").write_text("*.vault.yml\n")


def list_in_the_way(office: Office) -> None:
    office.list.mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damaged, "cannot be decrypted: none of the vault secrets that were given is its own, or it is damaged"),
        (not_hexadecimal, "or it is damaged"),
        (not_ascii, "or it is damaged"),
        (header_only, "or it is damaged"),
        (in_the_clear, "is not encrypted; run: ansible-vault encrypt"),
        (other_secret, "cannot be decrypted"),
        (no_secret, "no vault secret was given for it; give one by --vault-id"),
        (open_to_others, "others may read it, mode 0640"),
        (no_yaml, ":2:43: is no YAML"),
        (bad_values, "site 1001: born: is no date"),
        (not_utf8, "is no text in UTF-8"),
        (tracked, "git tracks it"),
        (not_ignored, "signatories.vault.yml: lies in a git work tree and is not ignored"),
        (list_not_ignored, "lookup.csv: lies in a git work tree and is not ignored"),
        (list_in_the_way, "lookup.csv: cannot be read"),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_what_is_wrong_is_told_and_nothing_is_done(
    office: Office, spoil: Callable[[Office], None], words: str, check: bool
):
    office.keep()
    spoil(office)
    before = office.untouched()
    told = office.run(statuses=SIGNED, check=check)
    assert told["failed"]
    assert words in told["msg"]
    assert office.untouched() == before
    assert "exception" not in told


def test_a_file_that_somebody_changed_meanwhile_is_left(office: Office, monkeypatch: pytest.MonkeyPatch):
    office.keep()
    record = Journal.record

    def edited(journal: Journal, *arguments: Any) -> list[bool]:
        office.keep(BOTH)
        return record(journal, *arguments)

    monkeypatch.setattr(Journal, "record", edited)
    assert "was changed while this ran" in office.run(statuses=SIGNED)["msg"]
    monkeypatch.undo()
    assert office.content() == BOTH
    assert office.run(statuses=SIGNED)["removed"] == ["1001"]


def test_an_error_that_nobody_foresaw_is_told_without_its_text(office: Office, monkeypatch: pytest.MonkeyPatch):
    office.keep()

    def broken(*_: Any) -> bytes:
        raise ValueError(f"{NAME} {BORN}")

    monkeypatch.setattr(_agreements, "lookup_table", broken)
    told = office.run()
    assert told["failed"]
    assert "ValueError in test_site_agreements.py:" in told["msg"]
    assert "its text is not shown" in told["msg"]


def test_a_file_behind_a_link_is_replaced_where_it_is(office: Office, tmp_path: Path):
    office.keep()
    real = tmp_path / "safe" / "signatories.vault.yml"
    real.parent.mkdir()
    office.file.rename(real)
    office.file.symlink_to(real)
    assert office.run(statuses=SIGNED)["removed"] == ["1001"]
    assert office.file.is_symlink()
    assert NAME not in office.content()


def test_a_run_that_died_while_answers_were_taken_in_leaves_nothing_to_explain(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_agreements.VaultFile, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        office.run(answers=answers(office))
    assert (office.file.exists(), office.recorded()) == (False, [])
    monkeypatch.undo()
    assert office.run(answers=answers(office))["look_up"] == ["1001"]
    assert office.recorded() == [NOTED]


def test_what_is_shown_is_caught_by_name():
    """An error of a wider kind would show the text of one that nobody foresaw."""
    wide = (Exception, ValueError, KeyError, TypeError, OSError, RuntimeError)
    assert not set(_agreements.ERRORS).intersection(wide)
