# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions that an automatic proxy script may call, as they would answer on a host (P5).

They follow Netscape's description and Mozilla's own, with Microsoft's for addresses of either kind (`…Ex`). What the
host knows is given; nothing is asked. Everything a script gives may be of any kind: text, number, truth or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
OWN = "the host's own address"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class PacHost:
    """What a host knows: its addresses, what names resolve to, its own time; `unknown` collects what it was asked too.

    `names` holds lower-case names with their addresses, an empty tuple for one that does not resolve. `at` is the
    moment in UTC and `ahead` how far the host's clock on the wall is ahead of it; None where it is not known.
    """

    # No dataclass: that import would be a third of the process that every host of a fleet has (_pac_child.py).
    def __init__(
        self,
        addresses: tuple[str, ...] = (),
        names: Mapping[str, tuple[str, ...]] | None = None,
        at: datetime | None = None,
        ahead: timedelta | None = None,
    ) -> None:
        self.addresses = addresses
        self.names = names or {}
        self.at = at
        self.ahead = ahead
        self.unknown: list[str] = []

    def resolve(self, name: object) -> tuple[str, ...]:
        """The addresses of a name, none where it does not resolve; one that is not known is noted."""
        text = str(name).strip().casefold()
        if name is None or not text:
            return ()
        if is_address(text):
            return (text,)
        if text == "localhost":
            return ("127.0.0.1",)
        if text not in self.names:
            if text not in self.unknown:
                self.unknown.append(text[:253])
            return ()
        return self.names[text]

    def own(self) -> tuple[str, ...]:
        """The host's own addresses; that they are not known is noted."""
        if not self.addresses and OWN not in self.unknown:
            self.unknown.append(OWN)
        return self.addresses

    def now(self, gmt: bool) -> datetime:
        """The time by the host's clock, or by Greenwich's; ValueError where it is not known."""
        if self.at is None or (self.ahead is None and not gmt):
            raise ValueError("the script asks for the time of the host, which is not known")
        return self.at if gmt else self.at + (self.ahead or timedelta())


def is_address(text: str) -> bool:
    """Whether the text is an address of either kind."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _ipv4(texts: Sequence[str]) -> str | None:
    return next((text for text in texts if ":" not in text), None)


def is_plain_host_name(_of: PacHost, host: object) -> bool:
    """Whether it is a name without a dot, and no IPv6 address."""
    return not re.search(r"[.:]", str(host))


def dns_domain_is(_of: PacHost, host: object, domain: object) -> bool:
    """Whether the name ends as the domain does."""
    return str(host).endswith(str(domain))


def local_host_or_domain_is(_of: PacHost, host: object, full: object) -> bool:
    """Whether it is that name, or its first part alone."""
    return str(host) == str(full) or str(full).startswith(f"{host}.")


def is_resolvable(of: PacHost, host: object) -> bool:
    """Whether the name has an IPv4 address."""
    return dns_resolve(of, host) is not None


def is_in_net(of: PacHost, host: object, pattern: object, mask: object) -> bool:
    """Whether the address, or that of the name, lies in the net; False for what is no address or no mask."""
    address = dns_resolve(of, host)
    try:
        numbers = [int(IPv4Address(str(text))) for text in (address, pattern, mask)]
    except ValueError:
        return False
    return numbers[0] & numbers[2] == numbers[1] & numbers[2]


def dns_resolve(of: PacHost, host: object) -> str | None:
    """The first IPv4 address of the name, None where it has none."""
    return _ipv4(of.resolve(host))


def my_ip_address(of: PacHost) -> str:
    """The host's first IPv4 address; as everywhere else `127.0.0.1` where it is not known, which is noted."""
    return _ipv4(of.own()) or "127.0.0.1"


def dns_domain_levels(_of: PacHost, host: object) -> int:
    """How many dots the name has."""
    return str(host).count(".")


def sh_exp_match(text: str, pattern: str) -> bool:
    """Whether the whole text matches the pattern, in which `*` is any characters and `?` is any one.

    It takes at most the product of both lengths, whatever they are: going back to the last star is enough.
    """
    at = star = start = 0
    seen_star = False
    place = 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            seen_star, star, start = True, place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif seen_star:
            start += 1
            at, place = start, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _sh_exp_match(_of: PacHost, text: object, pattern: object) -> bool:
    return sh_exp_match(str(text), str(pattern))


def _within(low: list[int], value: list[int], high: list[int]) -> bool:
    """Whether it lies in the range, which may pass the end of the week, the year or the day."""
    return low <= value <= high if low <= high else value >= low or value <= high


def _without_gmt(given: Sequence[object]) -> tuple[list[object], bool]:
    gmt = bool(given) and given[-1] == "GMT"
    return list(given[:-1] if gmt else given), gmt


def weekday_range(of: PacHost, *given: object) -> bool:
    """Whether it is that weekday, or one from the first to the second; False for a word that is none."""
    days, gmt = _without_gmt(given)
    if len(days) not in (1, 2) or any(day not in WEEKDAYS for day in days):
        return False
    numbers = [WEEKDAYS.index(str(day)) for day in days]
    return _within(numbers[:1], [of.now(gmt).weekday()], numbers[-1:])


def date_range(of: PacHost, *given: object) -> bool:
    """Whether it is that day, month or year, or within two dates that name the same parts of a date."""
    parts, gmt = _without_gmt(given)
    fields = [_date_field(part) for part in parts]
    half = max(len(fields) // 2, 1)
    first, last = dict(fields[:half]), dict(fields[-half:])
    if len(fields) not in (1, 2, 4, 6) or None in first or set(first) != set(last) or len(first) < half:
        return False
    today = of.now(gmt)
    now = {"year": today.year, "month": today.month, "day": today.day}
    order = [name for name in now if name in first]
    return _within(*([values[name] for name in order] for values in (first, now, last)))


def _date_field(part: object) -> tuple[str | None, int]:
    if part in MONTHS:
        return "month", MONTHS.index(str(part)) + 1
    number = _number(part)
    if number is None or number < 1:
        return None, 0
    return ("day", number) if number < 32 else ("year", number)


def time_range(of: PacHost, *given: object) -> bool:
    """Whether it is that hour, or within two hours, or two times to the minute or to the second, the ends included."""
    parts, gmt = _without_gmt(given)
    numbers = [number for part in parts if (number := _number(part)) is not None]
    if len(numbers) != len(parts) or len(parts) not in (1, 2, 4, 6):
        raise ValueError(f"timeRange takes 1, 2, 4 or 6 numbers, not {len(parts)} of which {len(numbers)} are numbers")
    now = of.now(gmt)
    half = max(len(numbers) // 2, 1)
    return _within(numbers[:half], [now.hour, now.minute, now.second][:half], numbers[-half:])


def _number(part: object) -> int | None:
    if isinstance(part, bool) or not isinstance(part, int | float | str):
        return None
    found = re.match(r"\s*(\d{1,9})", str(part), re.ASCII)
    return int(found[1]) if found else None


def is_resolvable_ex(of: PacHost, host: object) -> bool:
    """Whether the name has an address of either kind."""
    return bool(of.resolve(host))


def is_in_net_ex(of: PacHost, host: object, prefix: object) -> bool:
    """Whether an address of it lies in the net, written as `10.0.0.0/8`; False for what is no net."""
    try:
        net = ip_network(str(prefix), strict=False)
    except ValueError:
        return False
    found = [ip_address(address) for address in of.resolve(host)]
    return any(address.version == net.version and address in net for address in found)


def dns_resolve_ex(of: PacHost, host: object) -> str:
    """All addresses of the name with semicolons between them, an empty text for none."""
    return ";".join(of.resolve(host))


def my_ip_address_ex(of: PacHost) -> str:
    """All addresses of the host with semicolons between them."""
    return ";".join(of.own())


def sort_ip_address_list(_of: PacHost, addresses: object) -> str:
    """The addresses in order, those of IPv6 first; an empty text where one is none."""
    texts = [text.strip() for text in str(addresses).split(";") if text.strip()]
    if not all(map(is_address, texts)):
        return ""
    return ";".join(sorted(texts, key=lambda text: (":" not in text, int(ip_address(text)))))


def get_client_version(_of: PacHost) -> str:
    """The version of Microsoft's functions."""
    return "1.0"


def alert(_of: PacHost, *_said: object) -> None:
    """Nobody listens."""


FUNCTIONS: dict[str, Callable[..., object]] = {
    "isPlainHostName": is_plain_host_name,
    "dnsDomainIs": dns_domain_is,
    "localHostOrDomainIs": local_host_or_domain_is,
    "isResolvable": is_resolvable,
    "isInNet": is_in_net,
    "dnsResolve": dns_resolve,
    "myIpAddress": my_ip_address,
    "dnsDomainLevels": dns_domain_levels,
    "shExpMatch": _sh_exp_match,
    "weekdayRange": weekday_range,
    "dateRange": date_range,
    "timeRange": time_range,
    "isResolvableEx": is_resolvable_ex,
    "isInNetEx": is_in_net_ex,
    "dnsResolveEx": dns_resolve_ex,
    "myIpAddressEx": my_ip_address_ex,
    "sortIpAddressList": sort_ip_address_list,
    "getClientVersion": get_client_version,
    "alert": alert,
}
"""What a script calls, by its own names."""


def call(of: PacHost, name: str, given: Sequence[object]) -> object:
    """Call one of FUNCTIONS as a script does; ValueError, which names it, where that cannot be."""
    try:
        return FUNCTIONS[name](of, *given)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{name}: {len(given)} arguments do not fit") from error
