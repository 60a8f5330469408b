"""Canaries: personal data that occur nowhere else are put in, and searched for in everything that a run leaves."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

from tests.playbooks.conftest import Controller, Done, controlling

SIGNATORY = {"name": "Æskulapia Kanarifugl", "born": "1961-07-29", "address": "Papegøyestien 77, 5099 Fuglevåg"}
SIGNED = {"name": "Undulata Kakaduesen", "born": "1958-11-23", "address": "Araveien 88, 5098 Fuglevåg"}
SECRETS = (
    *("Æskulapia", "Kanarifugl", "1961-07-29", "29.07.1961", "29.7.1961", "Papegøyestien"),
    *("Undulata", "Kakaduesen", "1958-11-23", "23.11.1958", "Araveien", "Fuglevåg"),
)
CONTACT = {"name": "Nymfeparakitta Finke", "email": "spurvehauk@fjordgata.example", "phone": "98 76 54 01"}
CONTACTS = ("Nymfeparakitta", "Finke", "spurvehauk", "98 76 54 01", "98765401")
PASSWORD = "kråkereir-2027"


# What modules are sent stays as files. Only for runs on the controller: the simulated hosts speak pipelined.
KEPT = {"ANSIBLE_KEEP_REMOTE_FILES": "true", "ANSIBLE_PIPELINING": "false"}


def forms(text: str) -> set[bytes]:
    """The text as it may stand in a file: encoded, escaped, in hexadecimal, and within a longer text in base64."""
    found = {json.dumps(text)[1:-1].encode(), ascii(text)[1:-1].encode(), quote(text).encode()}
    for raw in (text.encode(), text.encode("utf-16-le"), html.escape(text).encode(), text.encode("latin-1")):
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode()}
        for before in range(3):
            whole = base64.b64encode(b"\0" * before + raw)
            # The first and the last letters also depend on what stands beside the text.
            found.add(whole[-(-before * 8 // 6) : len(whole) - 4 if len(whole) > 8 else None])
    return found


def where(folder: Path, texts: tuple[str, ...], *, but: tuple[Path, ...] = ()) -> list[str]:
    """Which of `texts` stand in which file below `folder`, in a name or in the content; `but` files are left out."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path not in but):
        content = path.read_bytes() + b"\n" + str(path.relative_to(folder)).encode()
        found += [f"{path.relative_to(folder)}: {text}" for text in texts if any(one in content for one in forms(text))]
    return found


@dataclass
class Aviary:
    """A controller that keeps everything that can be kept, in one folder, and prints all that can be printed."""

    controller: Controller
    folder: Path
    runs: int = 0

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory"

    @property
    def signatories(self) -> Path:
        return self.inventory / "signatories.vault.yml"

    @property
    def cache(self) -> Path:
        return self.folder / "inventory-cache"

    @property
    def list(self) -> Path:
        return self.controller.state / "agreements" / "lookup.csv"

    @property
    def calls(self) -> Path:
        return self.controller.state / "calls"

    def encrypt(self, text: str) -> None:
        """Replace the file of the signatories; the text passes through a pipe."""
        command = [str(Path(sys.executable).with_name("ansible-vault")), "encrypt", "--output", "-"]
        words = ["--vault-password-file", str(self.folder / "password")]
        done = subprocess.run([*command, *words], input=text.encode(), capture_output=True, check=True)
        self.signatories.write_bytes(done.stdout)
        self.signatories.chmod(0o600)

    def play(self, playbook: str, *arguments: str, **variables: str) -> Done:
        """Run a playbook at the highest verbosity; what it printed is kept as a file beside what it wrote."""
        controller = self.controller
        if playbook not in ("preflight", "wave"):
            controller = replace(controller, environment={**controller.environment, **KEPT})
        done = controller.play(playbook, "-vvvv", "--diff", *arguments, **variables)
        self.runs += 1
        (self.folder / f"output-{self.runs}").write_text(done.output, encoding="utf-8")
        return done

    def agreements(self, *arguments: str, password: str = "password", **variables: str) -> Done:
        return self.play("agreements", "--vault-password-file", str(self.folder / password), *arguments, **variables)

    def found(self, texts: tuple[str, ...]) -> list[str]:
        """Where one of the texts stands: neither the lists nor the register count, for they are the place.

        A cache of the inventory holds what the register holds, contacts too, which is why others must not get into it.
        """
        but = [self.list, *(self.inventory / "register").iterdir()]
        # Contacts alone are on the call list: of a signatory nothing may be there either.
        but += self.calls.iterdir() if texts is CONTACTS and self.calls.is_dir() else ()
        return where(self.folder, texts, but=(*but, *(self.cache.iterdir() if texts is CONTACTS else ())))


def entries(**fields: dict[str, str]) -> str:
    return json.dumps({"signatories": {site.removeprefix("s"): entry for site, entry in fields.items()}})


BOTH = entries(s1001=SIGNED, s1003=SIGNATORY)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: core 2.21 puts a socket into TMPDIR, and a socket's name may have 107 characters."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def aviary(register: Path, tmp_path: Path, short: Path) -> Iterator[Aviary]:
    wave = register / "register" / "wave1.yml"
    text = wave.read_text(encoding="utf-8")
    text, count = re.subn(r"status: sent\n +sent: .*\n +reference: .*", "status: missing", text)
    assert count == 1, "site 1003 has answered, and its agreement is still to be sent"
    for old, new in (
        ("Astrid Eikeland", CONTACT["name"]),
        ("astrid@fjordgata.example", CONTACT["email"]),
        ("55 00 10 01", CONTACT["phone"]),
    ):
        assert old in text
        text = text.replace(old, new)
    wave.write_text(text, encoding="utf-8")
    for name, content in (("password", PASSWORD), ("other", "not this one")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    callbacks = ("helsevest.interactor.preload", "helsevest.interactor.site_table", "tree", "junit")
    environment = {
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
        "ANSIBLE_INVENTORY_CACHE": "true",
        "ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(tmp_path / "inventory-cache"),
        "ANSIBLE_RETRY_FILES_ENABLED": "true",
        "ANSIBLE_RETRY_FILES_SAVE_PATH": str(tmp_path / "retry"),
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(callbacks),
        "ANSIBLE_CALLBACK_TREE_DIR": str(tmp_path / "tree"),
        "JUNIT_OUTPUT_DIR": str(tmp_path / "junit"),
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote"),
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(short / "t"),
    }
    (tmp_path / "tmp").mkdir()
    (short / "t").symlink_to(tmp_path / "tmp")
    (tmp_path / "inventory-cache").mkdir(mode=0o700)
    with controlling(tmp_path, inventory=register / "sites.register.yml") as controller:
        aviary = Aviary(replace(controller, environment=environment), tmp_path)
        aviary.encrypt(BOTH)
        yield aviary


def test_the_search_finds_what_is_there(aviary: Aviary) -> None:
    """The control: what a careless playbook says is found on the terminal, in the log, in caches, trees and bytes."""
    careless = aviary.folder / "careless.yml"
    careless.write_text(
        """
- hosts: 1001-server
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact: {who: "{{ interactor_site.contact.name }}", cacheable: true}
    - ansible.builtin.copy: {content: "{{ interactor_site.contact.email }}", dest: "{{ folder }}/copy"}
      delegate_to: localhost
    - ansible.builtin.file: {path: "{{ folder }}/{{ interactor_site.contact.name }}", state: absent}
      delegate_to: localhost
    - ansible.builtin.fail: {msg: "{{ interactor_site.contact.phone }}"}
""",
        encoding="utf-8",
    )
    aviary.play(str(careless).removesuffix(".yml"), folder=str(aviary.folder))
    places = {one.partition(":")[0].partition("/")[0] for one in aviary.found(CONTACTS)}
    assert {"output-1", "log", "facts", "tree", "junit", "copy", "remote"} <= places
    assert list((aviary.folder / "retry").iterdir())
    for number, form in enumerate(sorted(forms(SIGNATORY["address"]))):
        (aviary.folder / "tmp" / f"form-{number}").write_bytes(b"xyz" + form + b"xyz")
    wide = f"ab{SIGNATORY['address']}cd".encode("utf-16-le")
    (aviary.folder / "tmp" / "wide").write_bytes(base64.b64encode(wide))
    found = aviary.found((SIGNATORY["address"],))
    assert len(found) == len(forms(SIGNATORY["address"])) + 1


def test_from_the_list_to_the_signature_nobody_is_told(aviary: Aviary) -> None:
    dry = aviary.agreements("--check")
    assert dry.code == 0, dry.output
    assert not aviary.list.exists()
    done = aviary.agreements()
    assert done.code == 0, done.output
    assert SIGNATORY["name"] in aviary.list.read_text(encoding="utf-8-sig")
    assert SIGNED["name"] not in aviary.list.read_text(encoding="utf-8-sig")
    assert aviary.agreements().changed == 0
    # The same from a team's table, which is where it belongs until somebody deletes it.
    table = aviary.folder / "answers.csv"
    table.write_text(f"Kontornr;Signatar;Født\n1003;{SIGNATORY['name']};{SIGNATORY['born']}\n", encoding="utf-8")
    other = aviary.agreements(agreements_import=str(table))
    assert "address: is another" in other.output
    assert aviary.agreements(agreements_import=str(table), agreements_overwrite="true").changed == 1
    table.unlink()
    removed = aviary.agreements(agreements_remove="1003", agreements_reason="the office withdrew")
    assert removed.code == 0, removed.output
    assert not aviary.list.exists()
    assert aviary.found(SECRETS) == []
    assert aviary.found(CONTACTS) == []
    assert aviary.found((PASSWORD,)) == ["password: " + PASSWORD]


def damaged(aviary: Aviary) -> None:
    aviary.signatories.write_bytes(aviary.signatories.read_bytes().replace(b"3", b"4"))


def in_the_clear_of_others(aviary: Aviary) -> None:
    aviary.signatories.chmod(0o644)


def no_yaml(aviary: Aviary) -> None:
    aviary.encrypt(f"signatories:\n  1003: {{name: {SIGNATORY['name']}\n  born: *{SIGNATORY['name']}\n")


def unforeseen_tag(aviary: Aviary) -> None:
    aviary.encrypt(f"signatories:\n  1003:\n    name: !{SIGNATORY['name']}!x y\n\tborn: {SIGNATORY['born']}")


def bad_values(aviary: Aviary) -> None:
    aviary.encrypt(entries(s1003={**SIGNATORY, "born": f"{SIGNATORY['born']}x", SIGNATORY["name"]: "x"}, Kanarifugl={}))


def in_git(aviary: Aviary) -> None:
    for words in (["init", "-q"], ["add", "-f", aviary.signatories.name]):
        subprocess.run(["git", "-C", str(aviary.inventory), *words], check=True)


def list_in_the_way(aviary: Aviary) -> None:
    aviary.list.mkdir(parents=True)


def test_what_fails_tells_nobody_either(aviary: Aviary) -> None:
    def fails(spoil: Callable[[Aviary], None], words: str) -> None:
        aviary.encrypt(BOTH)
        spoil(aviary)
        done = aviary.agreements()
        assert done.code == 2, done.output
        assert words in done.output

    assert "cannot be decrypted" in aviary.agreements(password="other").output
    assert "no vault secret was given" in aviary.play("agreements").output
    fails(damaged, "cannot be decrypted")
    fails(in_the_clear_of_others, "others may read it")
    fails(no_yaml, "is no YAML")
    fails(unforeseen_tag, "is no YAML")
    fails(bad_values, "born: is no date")
    # The folder instead of the source file as inventory: what is encrypted is not taken for an inventory.
    no_yaml(aviary)
    aviary.controller = replace(aviary.controller, inventory=aviary.inventory)
    assert "site_agreements: " in aviary.agreements().output
    aviary.controller = replace(aviary.controller, inventory=aviary.inventory / "sites.register.yml")
    fails(list_in_the_way, "cannot be read")
    aviary.list.rmdir()
    fails(in_git, "git tracks it")
    assert aviary.found(SECRETS) == []
    assert aviary.found(CONTACTS) == []


def test_the_call_list_alone_tells_whom_to_call(aviary: Aviary) -> None:
    # The move date is over, and nobody has moved: every contact of the wave is to be called.
    aviary.controller.simulation.set_clock("2027-05-19T07:00:00Z")
    done = aviary.play("calls")
    assert done.code == 0, done.output
    for name in ("calls.json", "calls.csv"):
        text = (aviary.calls / name).read_text(encoding="utf-8-sig")
        assert CONTACT["name"] in text
        assert CONTACT["phone"] in text
        assert CONTACT["email"] not in text
    assert aviary.play("calls", "--check").code == 0
    (aviary.calls / "calls.json").chmod(0o640)
    refused = aviary.play("calls")
    assert refused.code == 2
    assert "calls.json: others may read it, mode 0640 (allowed: 0600)" in refused.output
    (aviary.calls / "calls.json").unlink()
    (aviary.calls / "calls.json").mkdir()
    assert "calls.json: cannot be read" in aviary.play("calls").output
    assert aviary.found(CONTACTS) == []
    assert aviary.found(SECRETS) == []


def test_no_other_run_tells_of_signatory_or_contact(aviary: Aviary) -> None:
    aviary.agreements()
    for playbook in ("register", "preflight", "wave", "report"):
        secret = ("--vault-password-file", str(aviary.folder / "password"))
        done = aviary.play(playbook, "--limit", "site_1001,site_1003", *secret)
        assert done.code == 0, done.output
    explained = aviary.play("explain", site="1001")
    assert explained.code == 0, explained.output
    assert (aviary.controller.state / "report" / "report.html").is_file()
    # A register that is refused repeats nothing of a contact either.
    wave = aviary.inventory / "register" / "wave1.yml"
    wave.write_text(wave.read_text(encoding="utf-8").replace(CONTACT["email"], "spurvehauk, Finke"), encoding="utf-8")
    assert "contact.email: (hidden)" in aviary.play("register").output
    assert aviary.found(SECRETS) == []
    assert aviary.found(CONTACTS) == []
