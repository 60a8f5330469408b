"""The decoder of what ansible-core sends, held against ansible-core's own encoder."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest
from ansible.executor.powershell.module_manifest import _bootstrap_powershell_script
from hypothesis import given
from hypothesis import strategies as st

from simulator.calls import Answer, FetchFile, ModuleCall, PutFile, RawScript, Unknown
from simulator.manifest import decode, frames

PROFILE = r"C:\Users\somebody"
BREAK = b"\n\0\0\0\0\n"
STARTER = {"name": "exec_wrapper", "script": "…", "params": {}}
FLAGS = "-NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand"


def line(script: str = "bootstrap", program: str = "PowerShell") -> str:
    return f"{program} {FLAGS} {base64.b64encode(script.encode('utf-16-le')).decode()}"


def stdin(*actions: dict[str, Any], tail: bytes | None = None, starter: object = STARTER) -> bytes:
    parts = [json.dumps(starter).encode(), json.dumps({"scripts": {}, "actions": actions}).encode()]
    return BREAK.join(parts if tail is None else [*parts, tail])


def module(script: str, **arguments: object) -> dict[str, Any]:
    value = {"_ansible_check_mode": False, "_ansible_diff": False, "_ansible_no_log": True, **arguments}
    variables = [{"Name": "complex_args", "Value": value, "Scope": "Global"}]
    return {"name": "module_wrapper.ps1", "params": {"Script": script, "Environment": {}, "Variables": variables}}


@given(st.lists(st.binary().filter(lambda frame: b"\0" not in frame), min_size=1, max_size=4))
def test_frames_come_out_as_they_went_in(parts: list[bytes]):
    assert frames(BREAK.join(parts)) == parts


@given(st.lists(st.binary(min_size=1, max_size=2_000), max_size=5), st.sampled_from([b"\r\n", b"\n"]))
def test_a_put_file_comes_out_as_it_went_in(pieces: Iterable[bytes], end: bytes):
    pieces = list(pieces)
    script, start = _bootstrap_powershell_script("winrm_put_file.ps1", {"Path": "C:\\a b"}, has_input=True)
    lines = b"".join(base64.b64encode(piece) + end for piece in pieces)
    assert decode(line(script), start + lines, PROFILE) == PutFile("C:\\a b", b"".join(pieces))


@given(
    st.dictionaries(st.text().filter(lambda key: not key.startswith("_ansible_")), st.text(), max_size=5), st.booleans()
)
def test_a_modules_arguments_come_out_as_they_went_in(arguments: dict[str, str], check: bool):
    name = "ansible_collections.helsevest.interactor.plugins.modules.interactor_migrate.ps1"
    sent = stdin(module(name, **{**arguments, "_ansible_check_mode": check}))
    assert decode(line(), sent, PROFILE) == ModuleCall(
        "helsevest.interactor.interactor_migrate", arguments, check, False
    )


@pytest.mark.parametrize("program", ["PowerShell", "powershell.exe", "POWERSHELL"])
def test_a_bare_script_is_raw(program: str):
    assert decode(line("Get-Date", program), b"", PROFILE) == RawScript("Get-Date")


def test_helper_scripts_of_this_core():
    def ask(name: str, **params: object) -> object:
        script, sent = _bootstrap_powershell_script(name, params)
        return decode(line(script), sent, PROFILE)

    fetched = ask("winrm_fetch_file.ps1", Path="C:\\x", BufferSize=524_288, Offset=5)
    assert fetched == FetchFile("C:\\x", offset=5, size=524_288)
    assert ask("powershell_expand_user.ps1", Path="~") == Answer(b"C:\\Users\\somebody\r\n")
    assert ask("powershell_expand_user.ps1", Path="~\\a") == Answer(b"C:\\Users\\somebody\\a\r\n")
    assert ask("powershell_expand_user.ps1", Path="D:\\~\\a") == Answer(b"D:\\~\\a\r\n")
    made = ask("powershell_mkdtemp.ps1", Directory="%TEMP%", Name="ansible-tmp-1")
    assert made == Answer(b"C:\\Users\\somebody\\AppData\\Local\\Temp\\ansible-tmp-1\r\n")


PING = module("ansible_collections.ansible.windows.plugins.modules.win_ping.ps1", data=1)


@pytest.mark.parametrize(
    ("command", "sent", "named"),
    [
        ("ipconfig /all secret", b"", "the command 'ipconfig'"),
        ("PowerShell -File secret.ps1", b"", "without -EncodedCommand"),
        (f'type "C:\\secret" | {line()}', b"", "the command 'type'"),
        ("PowerShell -EncodedCommand !", b"", "no base64"),
        (line(), b"secret", "the bootstrap input, which is no JSON"),
        (line(), b'["secret"]', "the bootstrap input, which is no JSON object"),
        (line(), stdin(PING, starter={"name": "new_wrapper"}), "the bootstrap script 'new_wrapper'"),
        (line(), json.dumps(STARTER).encode(), "1 frames"),
        (line(), stdin(), "a manifest without actions"),
        (
            line(),
            stdin({"name": "become_wrapper.ps1", "secure_params": {"p": "secret"}}, PING),
            "the wrapper become_wrapper.ps1",
        ),
        (line(), stdin({"name": "async_wrapper.ps1"}, {"name": "async_watchdog.ps1"}, PING), "async_wrapper.ps1"),
        (line(), stdin({"name": "new.ps1", "params": {"Path": "secret"}}), "the script 'new.ps1'"),
        (line(), stdin({"name": "winrm_fetch_file.ps1", "params": {"Path": "secret"}}), "with the params ['Path']"),
        (line(), stdin(PING, tail=b"secret"), "input lines for the script 'module_wrapper.ps1'"),
        (line(), stdin({"name": "winrm_put_file.ps1", "params": {"Path": "x"}}, tail=b"secret!"), "no base64"),
        (line(), stdin(module("my_script.ps1", a="secret")), "the script 'my_script.ps1', which is no module"),
        (
            line(),
            stdin({"name": "module_wrapper.ps1", "params": {"Script": "ansible.legacy.x.ps1"}}),
            "without complex_args",
        ),
    ],
)
def test_what_is_not_known_is_named_without_its_arguments(command: str, sent: bytes, named: str):
    with pytest.raises(Unknown) as unknown:
        decode(command, sent, PROFILE)
    assert named in str(unknown.value)
    assert "secret" not in str(unknown.value)


def test_a_module_of_a_library_folder_keeps_its_namespace():
    call = decode(line(), stdin(module("ansible.legacy.my_module.ps1", _ansible_diff=True)), PROFILE)
    assert call == ModuleCall("ansible.legacy.my_module", {}, check_mode=False, diff=True)


def test_environment_variables_are_not_silently_ignored():
    action = module("ansible_collections.ansible.windows.plugins.modules.win_ping.ps1")
    action["params"]["Environment"] = {"A": "secret"}
    with pytest.raises(Unknown, match="environment variables"):
        decode(line(), stdin(action), PROFILE)
