# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a text in the register means, by the type of the field it stands in; errors say what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, time
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from ._register_checks import CHECKS, CLIENT_CHECK

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
DATES = "a date as YYYY-MM-DD"
_OTHER_DAYS = (
    re.compile(r"(?P<day>[0-9]{1,2})[./-](?P<month>[0-9]{1,2})[./-](?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>[0-9]{4})[./-](?P<month>[0-9]{1,2})[./-](?P<day>[0-9]{1,2})"),
)
_MEANT = dict.fromkeys(("ja", "j", "on", "y"), "true") | dict.fromkeys(("nei", "n", "off"), "false")


def refusal(message: str, allowed: str, *field: str) -> PydanticCustomError:
    """An error with what is allowed; `field` leads from the model that refuses to the field that is meant."""
    return PydanticCustomError("refused", "{message}", {"message": message, "allowed": allowed, "field": field})


def _matching(pattern: str, allowed: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refusal("is not of the form it must have", allowed)
        return value

    return AfterValidator(check)


def _text(value: object) -> object:
    if not isinstance(value, str):
        return value
    value = value.strip()
    if not value or "\n" in value:
        raise refusal("is empty or more than one line", "one line of text")
    hidden = next((character for character in value if not character.isprintable()), None)
    if hidden:
        raise refusal(f"holds a character that cannot be seen (U+{ord(hidden):04X})", "one line of text, plain blanks")
    return value


def _integer(lowest: int, highest: int) -> Callable[[object], int]:
    def convert(value: object) -> int:
        # A leading zero is refused: YAML reads it as an octal number, a person does not.
        if isinstance(value, str) and re.fullmatch(r"0[0-9]+", value):
            raise refusal("has a leading zero", f"{lowest} to {highest}")
        if not isinstance(value, str) or not re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
            raise refusal("is no whole number", f"{lowest} to {highest}")
        if not lowest <= int(value) <= highest:
            raise refusal("is out of range", f"{lowest} to {highest}")
        return int(value)

    return convert


def _truth(value: object) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False}
    if not isinstance(value, str) or value.lower() not in words:
        meant = _MEANT.get(value.lower(), "") if isinstance(value, str) else ""
        raise refusal("is neither true nor false" + _did_you_mean(meant), "true, false")
    return words[value.lower()]


def _did_you_mean(meant: str) -> str:
    return f"; did you mean '{meant}'?" if meant else ""


def _day_meant(value: object) -> str:
    """A day that was written in another order or without zeros, as the register has it; empty where it is none."""
    for form in _OTHER_DAYS if isinstance(value, str) else ():
        if found := form.fullmatch(str(value)):
            parts = {name: int(part) for name, part in found.groupdict().items()}
            with suppress(ValueError):
                return date(**parts).isoformat()
    return ""


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise refusal("is no date" + _did_you_mean(_day_meant(value)), DATES)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refusal("is a date that does not exist", DATES) from None


def _time(value: object) -> time:
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise refusal("is no time of day", "a time as HH:MM, 00:00 to 23:59")
    return time.fromisoformat(value)


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise refusal("is no host name", "letters, digits and hyphens, in parts with dots between them")
    return value


def _address(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        return _host(value)
    return value


def _whole(lowest: int, highest: int) -> tuple[BeforeValidator, WithJsonSchema]:
    return BeforeValidator(_integer(lowest, highest)), WithJsonSchema(
        {"type": "integer", "minimum": lowest, "maximum": highest}
    )


# An editor takes a bare 0047, 1.10 or true for a number or a yes; the register reads text, so the schema allows them.
_BARE = WithJsonSchema({"type": ["string", "number", "boolean"]})
_TRUTH = WithJsonSchema(
    {
        "anyOf": [
            {"type": "boolean"},
            {"type": "string", "pattern": "^([Yy][Ee][Ss]|[Nn][Oo]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"},
        ]
    }
)
_CHECK = WithJsonSchema(
    {"anyOf": [{"enum": list(CHECKS)}, {"type": "string", "pattern": f"^{re.escape(CLIENT_CHECK)}[A-Za-z0-9_-]+$"}]}
)

Text = Annotated[str, BeforeValidator(_text), _BARE]
Key = Annotated[Text, _matching(r"[A-Za-z0-9]{1,16}", "1 to 16 letters and digits")]
Name = Annotated[
    Text, _matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "letters, digits, hyphens and underscores, up to 32")
]
Check = Annotated[Text, _CHECK]  # which there are is told by the check between entries
Host = Annotated[Text, AfterValidator(_host)]
Address = Annotated[Text, AfterValidator(_address)]
Email = Annotated[Text, _matching(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+", "one address as name@domain.no")]
Phone = Annotated[Text, _matching(r"\+?[0-9](?: ?[0-9]){4,17}", "digits, with spaces, with + before")]
Day = Annotated[date, BeforeValidator(_day)]
Time = Annotated[
    time,
    BeforeValidator(_time),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
Truth = Annotated[bool, BeforeValidator(_truth), _TRUTH]
Port = Annotated[int, *_whole(1, 65535)]
WaveId = Annotated[int, *_whole(1, 9999)]
Months = Annotated[int, *_whole(12, 18)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Transport = Literal["ntlm", "basic", "certificate"]
