"""The private certificate authority of the simulated internet: one leaf per DNS name, made when first asked for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from spnego.channel_bindings import GssChannelBindings

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_YEAR = timedelta(days=365)
PUBLIC = "DigiCert Inc, by the Interactor simulator"
"""The authority of all that the simulated internet has: a public one, as in the real one."""
FIREWALL = "Simulated firewall"
"""The authority of a firewall that opens what goes through it."""


@dataclass(frozen=True)
class Leaf:
    """A server's TLS context, and the channel binding (RFC 5929, tls-server-end-point) of its certificate."""

    context: ssl.SSLContext
    binding: GssChannelBindings


class Authority:
    """Issues leaf certificates (EC keys, valid for the name only) and keeps them; a firewall's, too, by its own CA."""

    def __init__(self) -> None:
        self._ca, self._firewall = (
            trustme.CA(
                organization_name=name,
                organization_unit_name="simulated internet",
                key_type=trustme.KeyType.ECDSA,
            )
            for name in (PUBLIC, FIREWALL)
        )
        self._leaves: dict[tuple[str, str], Leaf] = {}

    def write(self, path: Path) -> None:
        """Write the authority's certificate, which clients have to trust, to `path` in PEM."""
        self._ca.cert_pem.write_to_path(str(path))

    def client_context(self, *, public: bool = True, firewall: bool = False) -> ssl.SSLContext:
        """A TLS client's context that trusts these two and nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for authority, is_trusted in ((self._ca, public), (self._firewall, firewall)):
            if is_trusted:
                authority.configure_trust(context)
        return context

    def leaf(self, name: str, flaw: str = "") -> Leaf:
        """The leaf for a DNS name; `flaw` is what is wrong with it.

        `untrusted`, `expired`, `other_name`, or `firewall`: it is by the firewall's authority.
        """
        if (name, flaw) not in self._leaves:
            issued = self._issue(name, flaw)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            issued.configure_cert(context)
            certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
            binding = GssChannelBindings(application_data=b"tls-server-end-point:" + certificate.fingerprint(SHA256()))
            self._leaves[name, flaw] = Leaf(context, binding)
        return self._leaves[name, flaw]

    def _issue(self, name: str, flaw: str) -> trustme.LeafCert:
        key_type = trustme.KeyType.ECDSA
        if flaw == "untrusted":
            return trustme.CA(organization_name="Somebody else", key_type=key_type).issue_cert(name, key_type=key_type)
        if flaw == "firewall":
            return self._firewall.issue_cert(name, key_type=key_type)
        if flaw == "expired":
            return self._ca.issue_cert(name, key_type=key_type, not_before=_LONG_AGO, not_after=_LONG_AGO + _YEAR)
        return self._ca.issue_cert(f"not-{name}" if flaw == "other_name" else name, key_type=key_type)
