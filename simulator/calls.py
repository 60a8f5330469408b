"""What the wire side and the world side of the simulator say to each other.

The wire decodes what a controller sends into a `Call`; a `Host` of the world answers it. Neither side knows the
other's code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from simulator.clock import Clock


@dataclass(frozen=True)
class ModuleCall:
    """One Ansible module with its arguments; the `_ansible_*` ones are taken out.

    `name` is the full collection name, for example `helsevest.interactor.interactor_preflight` or
    `ansible.windows.win_ping`.
    """

    name: str
    arguments: Mapping[str, Any]
    check_mode: bool
    diff: bool


@dataclass(frozen=True)
class PutFile:
    """A whole file for the host; the answer is `{"sha1": "<40 hex>"}`."""

    path: str
    content: bytes


@dataclass(frozen=True)
class FetchFile:
    """Up to `size` bytes of a file from `offset`; answered with base64, `[DIR]` for a folder, code 1 when missing."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True)
class RawScript:
    """A bare script without standard input (raw, win_reboot)."""

    text: str


AtConnect = Literal["dead", "closed", "unknown", "untrusted", "expired", "other_name"]
"""What a new connection may meet."""
AtRequest = Literal["silent", "rejects", "quota_shells", "quota_operations"]
"""What every request of a connection may meet."""
AtPage = Literal["captive", "captive_form", "intercepted", "blank", "elsewhere", "reworded", "no_root"]
"""What a host may get in place of a page."""


Call = ModuleCall | PutFile | FetchFile | RawScript


class Unknown(Exception):  # noqa: N818
    """Names the module, option or script that the simulator does not know; it always fails loudly."""


@dataclass(frozen=True)
class Answer:
    """What a command leaves behind. A module's JSON goes to `stdout`; `code` is 1 when it failed."""

    stdout: bytes
    stderr: bytes = b""
    code: int = 0


class Engine(Protocol):
    """What runs the commands of a host as they arrive, in place of a model."""

    async def execute(self, line: str, stdin: bytes) -> Answer:
        """Run a command line with all of its standard input, unchanged.

        Raises `Unknown` for what it cannot do, and `HostDown` where the host went down meanwhile.
        """
        ...

    def restart(self) -> None:
        """The host goes down and comes up again: what runs on it ends."""
        ...

    async def catch_up(self) -> None:
        """Do what tasks of the host have begun by themselves, if this engine and not the model does it."""
        ...

    async def close(self) -> None:
        """End whatever it has started; nothing is executed any more."""
        ...


class Trouble(Protocol):
    """What stands between a controller and a host's WinRM service (docs/scenario.md)."""

    @property
    def kind(self) -> str:
        """What it is, in a word of the scenario's."""
        ...

    @property
    def times(self) -> int | None:
        """How many connections meet it; None: all."""
        ...


class PageTrouble(Protocol):
    """What stands between a host and some pages (docs/scenario.md). Hashable: equal ones share a line."""

    @property
    def kind(self) -> AtPage:
        """What it is, in a word of the scenario's."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names whose pages it is about."""
        ...

    @property
    def is_caught(self) -> bool:
        """Whether the certificate of these names is a firewall's own."""
        ...

    @property
    def is_accepted(self) -> bool:
        """Whether the host's Windows trusts the certificate of these names."""
        ...


class Host(Protocol):
    """One simulated Windows host. `name` is its DNS name in lower case."""

    @property
    def engine(self) -> Engine | None:
        """What runs this host's commands; None where `run` answers them."""
        ...

    @property
    def name(self) -> str:
        """The host's DNS name in lower case."""
        ...

    @property
    def powered_on(self) -> bool:
        """Whether it answers at all, at this moment of the clock."""
        ...

    @property
    def trouble(self) -> Trouble | None:
        """Why its WinRM service is not reached as it should be."""
        ...

    def restart(self) -> None:
        """Go down and come up again."""
        ...

    async def run(self, call: Call) -> Answer:
        """Do what was called. Raises `Unknown` for what the simulator does not know."""
        ...


@dataclass(frozen=True)
class Page:
    """What a web request brought. `final_url` is after redirects; `issuer` the certificate's, empty over plain HTTP.

    `tag` is the ETag, `first` the byte that the body begins with (206), `total` how long the whole is.
    """

    status: int
    body: bytes
    content_type: str
    final_url: str
    issuer: str
    milliseconds: int
    tag: str = ""
    first: int = 0
    total: int | None = None


class FetchError(Exception):
    """No answer came: the name is unknown, the host is off, or TLS failed."""


UNTRUSTED = "TrustFailure: the certificate of {} is not trusted"
"""What .NET says of a name whose certificate Windows does not trust."""


class HostDown(Exception):  # noqa: N818
    """The host went down in the middle of a call: no answer comes."""


class Fetch(Protocol):
    """A real HTTP(S) request to the servers of this process, as a host would make it."""

    def __call__(self, url: str, start: int = 0, most: int | None = None) -> Awaitable[Page]:
        """The page from byte `start` on, read up to `most` bytes. Raises `FetchError`."""
        ...


@dataclass(frozen=True)
class Credential:
    """The one account that all simulated hosts accept."""

    user: str
    password: str


class StaticPage(Protocol):
    """A page of the scenario."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def content_type(self) -> str:
        """The media type."""
        ...

    @property
    def body(self) -> str | bytes:
        """The body; text goes out in UTF-8."""
        ...

    @property
    def location(self) -> str:
        """Where it sends whoever asks; empty: nowhere."""
        ...


Pages = Mapping[str, Mapping[str, StaticPage]]
"""Static pages by DNS name and path; the path `*` answers what no other path does."""


class CloudRefusal(Exception):  # noqa: N818
    """The vendor's cloud says no, with an HTTP status (404, 409 …) and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class CloudService(Protocol):
    """The vendor's migration service; what it does not allow raises `CloudRefusal`."""

    def list_attempts(self, site: str) -> list[dict[str, Any]]:
        """Every attempt of the site, as in docs/contracts.md."""
        ...

    def made(self, site: str, number: int) -> list[dict[str, str]]:
        """What users have made in the cloud since the switch to an attempt."""
        ...

    def open_attempt(self, site: str, number: int, key: str, history_months: int) -> tuple[dict[str, Any], bool]:
        """The attempt, and whether it is new."""
        ...

    def ids(self, site: str, number: int, category: str) -> list[str]:
        """The ids of one category of what an attempt brought."""
        ...

    def discard(self, site: str, number: int, key: str) -> dict[str, Any]:
        """The discarded attempt."""
        ...


class World(Protocol):
    """All of a scenario, as the wire sees it.

    A `snapshot() -> dict` and `engine_figures` may be there too; the control API shows them. The hosts' engines are
    closed at the end.
    """

    @property
    def hosts(self) -> Mapping[str, Host]:
        """By DNS name, lower case."""
        ...

    @property
    def cloud(self) -> CloudService:
        """The vendor's migration service."""
        ...

    @property
    def cloud_url(self) -> str:
        """Where the migration service is, without a slash at its end."""
        ...

    @property
    def pages(self) -> Pages:
        """The pages of the net."""
        ...

    @property
    def page_troubles(self) -> Mapping[str, PageTrouble]:
        """What stands between a host and pages, by the host's name; the others get what there is."""
        ...

    @property
    def clock(self) -> Clock:
        """The simulated clock."""
        ...

    async def advance_to(self, moment: datetime) -> datetime:
        """Move the clock forward, as `Clock.advance_to`, with what happens on the way."""
        ...

    async def catch_up(self) -> None:
        """Bring every host up to the clock, with what tasks have begun by themselves. Raises `Unknown` as a command."""
        ...
