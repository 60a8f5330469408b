# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host was not reached, in one word and in a few, found from the text of the exception."""

from __future__ import annotations

import re

CAUSES = ("timeout", "refused", "name", "certificate", "credentials", "quota", "connection")
"""The words; `connection` is every other cause."""

NOT_ASKED_AGAIN = frozenset({"timeout", "credentials"})
"""Causes for which a host is not asked a second time at once: it has spent its time limit, or the account might be
locked by one more wrong password."""

_IN_WORDS = {
    "timeout": "no answer within the time limit",
    "refused": "its port for remote management is closed",
    "name": "its name is not found",
    "certificate": "its certificate is not accepted",
    "credentials": "it does not accept our account or its password",
    "quota": "our account has as many sessions there as it may have",
    "connection": "the connection broke",
}

# The first that fits counts: a refused log-on and a bad certificate are told inside the text of a lost connection. The
# words stand where they say more than those of the cause.
_SIGNS: tuple[tuple[str, str, str], ...] = (
    ("quota", "", r"maximum number of \d+ concurrent|quotalimit|raise the quota"),
    ("quota", "", r"wsmanfault_code['\"]?: ['\"]?(?:215085917[3-9]|2150858815|21508592(?:39|4[01]))"),
    ("certificate", "its certificate has expired", r"certificate has expired"),
    ("certificate", "its certificate is not valid yet", r"certificate is not yet valid"),
    ("certificate", "its certificate is another name's", r"(?:hostname|ip address) mismatch|doesn't match"),
    ("certificate", "its certificate is of an authority that we do not trust", r"self.signed|get (?:local )?issuer"),
    ("certificate", "", r"certificate.verify|certificate_verify|sslcertverificationerror"),
    ("certificate", "no encrypted connection came about", r"sslerror|\[ssl[:\]]|tlsv1_alert|ssl routines"),
    ("certificate", "no encrypted connection came about", r"wrong.version.number"),
    ("credentials", "", r"credentials were rejected|credentials are|unauthori[sz]ed|access is denied|code:? 40[13]\b"),
    ("credentials", "", r"logon failure|spnegoerror|invalidcredential|bad (?:user|password)"),
    ("refused", "", r"connection refused|refuses connections|errno 111\b|winerror 10061|actively refused"),
    ("name", "", r"name or service not known|name resolution|nameresolutionerror|getaddrinfo|nodename nor servname"),
    ("name", "", r"no such host|no address associated|tunnel connection failed: 502"),
    ("timeout", "", r"timed[ -]?out|timeout(?!_)|tunnel connection failed: 504|gateway time"),
)


def find_cause(text: str) -> str:
    """One of `CAUSES` for what a connection plugin said; it knows nothing of which plugin that was.

    A proxy's 504 means that the host behind it did not answer, its 502 that it does not know the name, unless it says
    itself that the port is closed.
    """
    return _find(text)[0]


def tell_cause(cause: str | None, detail: str = "") -> str:
    """A cause for a person, as `certificate: its certificate has expired`; `detail` is what the connection said.

    Nothing of `detail` itself is repeated, for it may name accounts. Without a cause it is `connection`.
    """
    found, words = _find(detail)
    word = cause or found
    return f"{word}: {(words if word == found else '') or _IN_WORDS.get(word, _IN_WORDS['connection'])}"


def _find(text: str) -> tuple[str, str]:
    folded = text.casefold()
    return next(((cause, words) for cause, words, pattern in _SIGNS if re.search(pattern, folded)), ("connection", ""))
