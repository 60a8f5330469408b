"""Who may open a WinRM shell: Negotiate with NTLM, its state held per TCP connection, and Basic.

pyspnego's acceptor reads its accounts from the file that the environment variable NTLM_USER_FILE names, so there is one
account for all simulated hosts of a process.
"""

from __future__ import annotations

import base64
import hmac
import os
from pathlib import Path

import spnego
from spnego.channel_bindings import GssChannelBindings

from simulator.calls import Credential

OFFERED = ("Negotiate", 'Basic realm="WSMAN"')


def accept(credential: Credential, path: Path) -> None:
    """Let this process accept the credential; `path` becomes the file, mode 0600, that pyspnego reads.

    The account is local to each host, so it may come without a domain or with the domain `.`.
    """
    text = "".join(f"{domain}:{credential.user}:{credential.password}\n" for domain in ("", "."))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.environ["NTLM_USER_FILE"] = str(path)


class Login:
    """The authentication of one TCP connection. `binding` is that of the TLS channel; a false one is refused."""

    def __init__(self, credential: Credential, binding: GssChannelBindings | None) -> None:
        self._credential = credential
        self._binding = binding
        self._context: spnego.ContextProxy | None = None
        self._done = False

    def check(self, header: str | None) -> tuple[bool, list[str]]:
        """Whether a request with this Authorization header passes, and the WWW-Authenticate values to answer with.

        Without a header it passes only after a completed Negotiate on the same connection, as on Windows.
        """
        if header is None:
            return self._done, [] if self._done else list(OFFERED)
        self._done = False
        scheme, _, text = header.partition(" ")
        try:
            token = base64.b64decode(text, validate=True)
            if scheme.lower() == "basic":
                given, wanted = token, f"{self._credential.user}:{self._credential.password}".encode()
                passed = hmac.compare_digest(given, wanted)
                return passed, [] if passed else list(OFFERED)
            if scheme.lower() in ("negotiate", "ntlm") and token:
                return self._negotiate(scheme, token)
        except Exception:
            # A malformed token makes the library raise KeyError, struct.error and others beside its own errors.
            self._context = None
        return False, list(OFFERED)

    def _negotiate(self, scheme: str, token: bytes) -> tuple[bool, list[str]]:
        if self._context is None:
            plain = token.startswith(b"NTLMSSP\0")
            self._context = spnego.server(
                protocol="ntlm" if plain else "negotiate",
                options=spnego.NegotiateOptions.use_ntlm if plain else spnego.NegotiateOptions.use_negotiate,
                channel_bindings=self._binding,
            )
        answer = self._context.step(token)
        if self._context.complete:
            self._context, self._done = None, True
            return True, [f"{scheme} {base64.b64encode(answer).decode()}"] if answer else []
        return False, [f"{scheme} {base64.b64encode(answer or b'').decode()}"]
