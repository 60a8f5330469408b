# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible's own winrm plugin really says where a host is not reached, and which cause is read from it.

Once of real sockets on loopback, and once of every trouble that the simulator makes.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, get_args

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.cause import CAUSES, find_cause, tell_cause
from ansible_collections.helsevest.interactor.plugins.plugin_utils._host_module import is_of_connection
from ansible_collections.helsevest.interactor.plugins.plugin_utils._knock import knock

from simulator.calls import AtConnect, AtRequest
from simulator.testing import Simulation, running

SECONDS = 1
"""How long is waited where no answer comes; elsewhere a slow machine may take as long as it wants."""
SECRET = "a password that nobody may see"
CAUSE_OF = {
    "dead": ("timeout", "no answer within the time limit"),
    "silent": ("timeout", "no answer within the time limit"),
    "closed": ("refused", "its port for remote management is closed"),
    "unknown": ("name", "its name is not found"),
    "untrusted": ("certificate", "its certificate is of an authority that we do not trust"),
    "expired": ("certificate", "its certificate has expired"),
    "other_name": ("certificate", "its certificate is another name's"),
    "rejects": ("credentials", "it does not accept our account or its password"),
    "quota_shells": ("quota", "our account has as many sessions there as it may have"),
    "quota_operations": ("quota", "our account has as many sessions there as it may have"),
}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def winrm(host: str, port: int = 5986, *, limit: int = 120, **extras: Any) -> Any:
    """Ansible's connection plugin, as a task has it."""
    connection = connection_loader.get("winrm", PlayContext())
    connection.set_options(
        direct={"remote_addr": host, "port": port, "remote_user": "drift", "remote_password": SECRET},
        var_options={
            "ansible_winrm_transport": ["ntlm"],
            "_extras": {
                "ansible_winrm_read_timeout_sec": limit + 1,
                "ansible_winrm_operation_timeout_sec": limit,
                **{f"ansible_winrm_{name}": value for name, value in extras.items()},
            },
        },
    )
    return connection


def said(connection: Any) -> str:
    """What it raises when a command is run."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 which one is the question
        connection.exec_command("hostname")
    assert is_of_connection(caught.value), caught.value
    text = str(caught.value)
    assert SECRET not in text
    return text


@contextmanager
def closed() -> Iterator[int]:
    """A port at which nobody listens, and which is nobody else's meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def mute() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@contextmanager
def dead() -> Iterator[int]:
    """A port whose queue is full, so that the kernel drops every further SYN, as if a dead host got it."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(8):
            line = stack.enter_context(socket.socket())
            line.settimeout(0.2)
            try:
                line.connect(server.getsockname())
            except TimeoutError:
                break
        else:
            pytest.skip("this kernel answers although the queue is full")
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("where", "cause", "knocked"),
    [(closed, "refused", "refused"), (mute, "timeout", ""), (dead, "timeout", "timeout")],
    ids=["closed", "mute", "dead"],
)
def test_of_a_real_socket(where: Any, cause: str, knocked: str) -> None:
    with where() as port:
        assert find_cause(said(winrm("127.0.0.1", port, limit=SECONDS if cause == "timeout" else 120))) == cause
        told = knock(winrm("127.0.0.1", port), SECONDS)
        assert (find_cause(told) if told else "") == knocked


def test_of_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        # As the C library says it; no resolver outside this machine is asked.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert find_cause(said(winrm("srv.prove.example"))) == "name"
    assert find_cause(knock(winrm("srv.prove.example"), SECONDS)) == "name"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """A host for each trouble that the simulator knows, and one that is well."""
    folder = tmp_path_factory.mktemp("troubled")
    kinds = [*get_args(AtConnect), *get_args(AtRequest)]
    clients = [{"name": kind.replace("_", "-"), "trouble": kind} for kind in kinds]
    scenario = folder / "scenario.yml"
    scenario.write_text(
        yaml.safe_dump({"sites": {"1001": {"domain": "k.example", "clients": clients}}}), encoding="utf-8"
    )
    with running(scenario, folder / "run") as simulation:
        yield simulation


def test_every_trouble_has_a_cause_and_every_cause_a_trouble() -> None:
    assert set(CAUSE_OF) == {*get_args(AtConnect), *get_args(AtRequest)}
    # Whatever else breaks a connection is `connection`; the simulator's faults do that.
    assert {cause for cause, _ in CAUSE_OF.values()} == set(CAUSES) - {"connection"}


@pytest.mark.parametrize("kind", CAUSE_OF)
def test_of_a_trouble_that_the_simulator_makes(troubled: Simulation, kind: str) -> None:
    facts = troubled.facts
    connection = winrm(
        f"{kind.replace('_', '-')}.k.example",
        limit=SECONDS if CAUSE_OF[kind][0] == "timeout" else 120,
        proxy=facts["proxy"],
        ca_trust_path=facts["ca"],
    )
    connection.set_option("remote_user", facts["user"])
    connection.set_option("remote_password", facts["password"])
    text = said(connection)
    assert tell_cause(None, text) == ": ".join(CAUSE_OF[kind]), text
    assert facts["password"] not in text


def test_of_a_wrong_password(troubled: Simulation) -> None:
    facts = troubled.facts
    connection = winrm("srv.k.example", proxy=facts["proxy"], ca_trust_path=facts["ca"])
    connection.set_option("remote_user", facts["user"])
    with pytest.raises(AnsibleConnectionFailure) as caught:
        connection.exec_command("hostname")
    assert find_cause(str(caught.value)) == "credentials"
