# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One word for why a host was not reached, from what connection plugins really say."""

from __future__ import annotations

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.cause import CAUSES, find_cause, tell_cause

POOL = (
    "ntlm: HTTPSConnectionPool(host='srv.prove.example', port=5986): Max retries exceeded with url: /wsman (Caused by "
)
SAID = {
    f"{POOL}ConnectTimeoutError(<HTTPSConnection>, 'Connection to x timed out. (connect timeout=30)'))": "timeout",
    "ntlm: HTTPSConnectionPool(host='x', port=5986): Read timed out. (read timeout=30)": "timeout",
    "winrm connection error: HTTPSConnectionPool(host='x', port=5986): Read timed out.": "timeout",
    "the connection attempt timed out": "timeout",
    f"{POOL}ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 504 Time-out')))": "timeout",
    f"{POOL}ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 504 Host is off')))": "timeout",
    f"{POOL}ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 502 Bad Gateway')))": "name",
    f"{POOL}NameResolutionError(\"Failed to resolve 'x' ([Errno -2] Name or service not known)\"))": "name",
    f"{POOL}NewConnectionError('[Errno -3] Temporary failure in name resolution'))": "name",
    "[Errno 11001] getaddrinfo failed": "name",
    f"{POOL}NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))": "refused",
    f"{POOL}NewConnectionError('[WinError 10061] The machine actively refused it'))": "refused",
    f"{POOL}SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "unable to get local issuer certificate')))": "certificate",
    f"{POOL}SSLError(SSLCertVerificationError(\"Hostname mismatch, it is not valid for 'x'.\")))": "certificate",
    f"{POOL}SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred')))": "certificate",
    "ntlm: the specified credentials were rejected by the server": "credentials",
    "basic: Bad HTTP response returned from server. Code 403": "credentials",
    "Access is denied.  (extended fault data: …)": "credentials",
    f"{POOL}NewConnectionError('[Errno 113] No route to host'))": "connection",
    f"{POOL}ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')))": "connection",
    "ntlm: Bad HTTP response returned from server. Code 500": "connection",
    "ntlm: read_timeout_sec must exceed operation_timeout_sec, and both must be non-zero": "connection",
    "": "connection",
    f"{POOL}ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 502 x refuses connections to "
    "port 5986')))": "refused",
    "ntlm: The WS-Management service cannot process the request. This user is allowed a maximum number of 30 "
    "concurrent shells, which has been exceeded. (extended fault data: {'wsmanfault_code': 2150859173})": "quota",
    "Forespørselen kan ikke behandles. (extended fault data: {'transport_message': 'Bad HTTP response returned from "
    "server. Code 500', 'wsmanfault_code': '2150859174', 'fault_code': 's:Sender'})": "quota",
    "x (extended fault data: {'fault_subcode': 'w:QuotaLimit'})": "quota",
    "x (extended fault data: {'wsmanfault_code': 2150859172})": "connection",
}  # fmt: skip


@pytest.mark.parametrize(("text", "cause"), SAID.items())
def test_what_was_said_has_one_cause(text: str, cause: str):
    assert find_cause(text) == cause


def test_every_word_is_found():
    assert set(SAID.values()) == set(CAUSES)


@pytest.mark.parametrize(
    ("cause", "detail", "told"),
    [
        (
            "certificate",
            "certificate verify failed: certificate has expired (_ssl.c:1006)",
            "its certificate has expired",
        ),
        ("certificate", "certificate is not yet valid", "its certificate is not valid yet"),
        ("certificate", "Hostname mismatch, certificate is not valid for 'x'.", "its certificate is another name's"),
        ("certificate", "IP address mismatch, certificate is not valid", "its certificate is another name's"),
        ("certificate", "self-signed certificate in chain", "its certificate is of an authority that we do not trust"),
        ("certificate", "unable to get local issuer", "its certificate is of an authority that we do not trust"),
        ("certificate", "SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF", "no encrypted connection came about"),
        ("certificate", "certificate verify failed: something", "its certificate is not accepted"),
        ("certificate", "", "its certificate is not accepted"),
        ("timeout", "the certificate has expired", "no answer within the time limit"),
        ("a word of later", "", "the connection broke"),
    ],
)
def test_it_is_told_in_words(cause: str, detail: str, told: str):
    assert tell_cause(cause, detail) == f"{cause}: {told}"


@pytest.mark.parametrize(("text", "cause"), SAID.items())
def test_the_words_repeat_nothing_of_what_was_said(text: str, cause: str):
    word, _, words = tell_cause(None, text).partition(": ")
    assert word == cause
    assert words
    assert text == "" or words not in text


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_words(cause: str):
    assert len(tell_cause(cause)) > len(cause) + 10
