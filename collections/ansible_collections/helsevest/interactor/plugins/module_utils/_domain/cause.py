# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host was not reached, in one word, found from the text of the exception."""

from __future__ import annotations

import re

CAUSES = ("timeout", "refused", "name", "certificate", "credentials", "connection")
"""The words; `connection` is every other cause."""

# The first that fits counts: a refused log-on and a bad certificate are told inside the text of a lost connection.
_SIGNS: tuple[tuple[str, str], ...] = (
    ("certificate", r"certificate.verify|certificate_verify|sslcertverificationerror|hostname mismatch|self.signed"),
    ("certificate", r"sslerror|\[ssl[:\]]|tlsv1_alert|ssl routines|wrong.version.number"),
    ("credentials", r"credentials were rejected|credentials are|unauthori[sz]ed|access is denied|code:? 40[13]\b"),
    ("credentials", r"logon failure|spnegoerror|invalidcredential|bad (?:user|password)"),
    ("name", r"name or service not known|name resolution|nameresolutionerror|getaddrinfo|nodename nor servname"),
    ("name", r"no such host|no address associated|tunnel connection failed: 502"),
    ("timeout", r"timed? ?out|timeout|tunnel connection failed: 504|gateway time"),
    ("refused", r"connection refused|errno 111\b|winerror 10061|actively refused"),
)


def find_cause(text: str) -> str:
    """One of `CAUSES` for what a connection plugin said; it knows nothing of which plugin that was.

    A proxy's 504 means that the host behind it did not answer, its 502 that it does not know the name.
    """
    folded = text.casefold()
    return next((cause for cause, pattern in _SIGNS if re.search(pattern, folded)), "connection")
