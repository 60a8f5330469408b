r"""What ansible-core sends to a Windows host: a command line and standard input, decoded into a `Call`.

This is private to ansible-core and changes with its releases; tests hold it against 2.19, and where it is there 2.21.
Standard input: a JSON line that starts exec_wrapper, a line of four NUL bytes, a JSON line with scripts and actions,
and, for a file that is put, another line of four NUL bytes and base64 lines.
"""

from __future__ import annotations

import base64
import binascii
import json
import ntpath
import re
from collections.abc import Mapping
from typing import Any

from simulator.calls import Answer, Call, FetchFile, ModuleCall, PutFile, RawScript, Unknown

_BREAK = re.compile(rb"(?:^|\n)\0\0\0\0\r?(?:\n|$)")
_ENCODED = re.compile(r"^powershell(?:\.exe)?\s(?:.*\s)?-encodedcommand\s+(\S+)\s*$", re.IGNORECASE | re.DOTALL)
_MODULE = re.compile(
    r"^(?:ansible_collections\.(?P<collection>\w+\.\w+)\.plugins\.modules|ansible\.(?:legacy|modules))\.(?P<name>\w+)$"
)


def frames(stdin: bytes) -> list[bytes]:
    """Split standard input at its lines of four NUL bytes; an input without any is one frame."""
    return _BREAK.split(stdin)


def decode(command: str, stdin: bytes, profile: str) -> Call | Answer:
    """Decode a command.

    Args:
        command: the whole command line, program and arguments joined by a space.
        stdin: all of standard input, empty where none was sent.
        profile: the account's profile folder, for the helper scripts that ask for `~`.

    Returns:
        The call for the host, or the answer itself for the helper scripts that only name a folder.

    Raises:
        Unknown: names what is not recognised. It never quotes an argument or the input.
    """
    text = script(command)
    if not stdin:
        return RawScript(text)
    parts = frames(stdin)
    starter = _object(parts[0], "the bootstrap input")
    if starter.get("name") != "exec_wrapper":
        raise Unknown(f"the bootstrap script {starter.get('name')!r}")
    if len(parts) not in (2, 3):
        raise Unknown(f"{len(parts)} frames on standard input, 2 or 3 are known")
    actions = _object(parts[1], "the manifest").get("actions")
    if not isinstance(actions, list) or not actions or not all(isinstance(action, dict) for action in actions):
        raise Unknown("a manifest without actions")
    *leading, action = actions
    if leading:
        raise Unknown("the wrapper " + ", ".join(str(one.get("name")) for one in leading))
    name, params = action.get("name"), action.get("params")
    if not isinstance(params, dict):
        raise Unknown(f"the script {name!r} without params")
    if len(parts) == 3 and name != "winrm_put_file.ps1":
        raise Unknown(f"input lines for the script {name!r}")
    match name:
        case "module_wrapper.ps1":
            return _module(params)
        case "winrm_put_file.ps1":
            _only(name, params, "Path")
            return PutFile(params["Path"], _lines(parts[2] if len(parts) == 3 else b""))
        case "winrm_fetch_file.ps1":
            _only(name, params, "Path", "BufferSize", "Offset")
            return FetchFile(params["Path"], int(params["Offset"]), int(params["BufferSize"]))
        case "powershell_expand_user.ps1":
            _only(name, params, "Path")
            return _line(re.sub(r"^~(?=$|\\)", lambda _: profile, params["Path"]))
        case "powershell_mkdtemp.ps1":
            _only(name, params, "Directory", "Name")
            temp = ntpath.join(profile, "AppData", "Local", "Temp")
            return _line(ntpath.join(re.sub(r"(?i)%TEMP%", lambda _: temp, params["Directory"]), params["Name"]))
    raise Unknown(f"the script {name!r}")


def script(command: str) -> str:
    """The script of a command line. Raises Unknown where it is no encoded command."""
    match = _ENCODED.match(command)
    if match is None:
        raise Unknown(f"the command {ntpath.basename(command.split(' ')[0])!r} without -EncodedCommand")
    try:
        return base64.b64decode(match[1], validate=True).decode("utf-16-le")
    except ValueError:
        raise Unknown("an -EncodedCommand that is no base64 of UTF-16") from None


def _object(frame: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(frame)
    except ValueError:
        raise Unknown(f"{what}, which is no JSON") from None
    if not isinstance(value, dict):
        raise Unknown(f"{what}, which is no JSON object")
    return value


def _only(name: str, params: Mapping[str, Any], *known: str) -> None:
    if set(params) != set(known):
        raise Unknown(f"the script {name!r} with the params {sorted(params)}")


def _lines(frame: bytes) -> bytes:
    try:
        return b"".join(base64.b64decode(line, validate=True) for line in frame.split())
    except binascii.Error:
        raise Unknown("a file whose lines are no base64") from None


def _line(text: str) -> Answer:
    return Answer(f"{text}\r\n".encode())


def _module(params: Mapping[str, Any]) -> ModuleCall:
    script = str(params.get("Script", ""))
    match = _MODULE.match(script.removesuffix(".ps1"))
    if match is None or not script.endswith(".ps1"):
        raise Unknown(f"the script {script!r}, which is no module")
    if params.get("Environment"):
        raise Unknown(f"environment variables for the module {script!r}")
    variables = params.get("Variables") or []
    values = [one.get("Value") for one in variables if isinstance(one, dict) and one.get("Name") == "complex_args"]
    if len(values) != 1 or not isinstance(values[0], dict):
        raise Unknown(f"the module {script!r} without complex_args")
    arguments = values[0]
    return ModuleCall(
        name=f"{match['collection'] or 'ansible.legacy'}.{match['name']}",
        arguments={key: value for key, value in arguments.items() if not key.startswith("_ansible_")},
        check_mode=bool(arguments.get("_ansible_check_mode", False)),
        diff=bool(arguments.get("_ansible_diff", False)),
    )
