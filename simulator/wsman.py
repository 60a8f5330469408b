"""The SOAP of WinRM's remote shell (MS-WSMV): what is read from a request, what is written in an answer."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"

CREATE = f"{_TRANSFER}/Create"
DELETE = f"{_TRANSFER}/Delete"
COMMAND = f"{_SHELL}/Command"
SEND = f"{_SHELL}/Send"
RECEIVE = f"{_SHELL}/Receive"
SIGNAL = f"{_SHELL}/Signal"
CMD_SHELL = f"{_SHELL}/cmd"

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_DEFAULT_TIMEOUT = 60.0
_DEFAULT_ENVELOPE = 512_000
_ENVELOPE_OVERHEAD = 4_096


class Fault(Exception):  # noqa: N818
    """A WSManFault: HTTP 500 with a code, a SOAP 1.2 subcode and a sentence."""

    def __init__(self, code: int, subcode: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason


def invalid(reason: str) -> Fault:
    """A request that is no well-formed one."""
    return Fault(2150858817, "w:SchemaValidationError", reason)


def timed_out() -> Fault:
    """No result within the operation's time-out; clients ask again."""
    return Fault(2150858793, "w:TimedOut", "The WS-Management service cannot complete the operation within the time.")


def no_shell(shell: str) -> Fault:
    """A shell that is not there, or no more."""
    return Fault(2150858843, "w:InvalidSelectors", f"The shell {shell} was not found on the server.")


def no_command() -> Fault:
    """A command that is not there, or no more."""
    return Fault(87, "w:InvalidParameter", "The parameter is incorrect. The command was not found in the shell.")


def busy() -> Fault:
    """Input for a command that has read all of its input."""
    return Fault(170, "w:InternalError", "The requested resource is in use. The command's input is closed.")


_QUOTA = {"shells": 2150859173, "operations": 2150859174}


def over_quota(what: Literal["shells", "operations"], most: int) -> Fault:
    """The account has as many shells, or operations, at once as it may have."""
    return Fault(
        _QUOTA[what],
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{most} concurrent {what}, which has been exceeded. Close existing {what} or raise the quota for this user.",
    )


class _NoDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise invalid("A document type declaration is not allowed.")


@dataclass(frozen=True)
class Request:
    """A request's header and its body's first element. `timeout`: seconds, `envelope`: the answer's limit in bytes."""

    action: str
    message_id: str
    resource: str
    shell: str
    timeout: float
    envelope: int
    body: ElementTree.Element | None

    def command_line(self) -> str:
        """Command and arguments of a Command, joined by a space, for clients split them differently."""
        parts = self._required("CommandLine")
        texts = [part.text or "" for tag in ("Command", "Arguments") for part in parts.findall(f"{{{_SHELL}}}{tag}")]
        return " ".join(texts).strip()

    def command_id(self) -> str:
        """The command that a Send, Receive or Signal is for."""
        for element in self.body.iter() if self.body is not None else ():
            if "CommandId" in element.attrib:
                return element.attrib["CommandId"].upper()
        raise no_command()

    def chosen_command_id(self) -> str:
        """The id a client wants for its new command, else a new one."""
        return (self._required("CommandLine").get("CommandId") or str(uuid.uuid4())).upper()

    def input(self) -> tuple[bytes, bool]:
        """The bytes of a Send, and whether they are the last."""
        data, last = b"", False
        for stream in self._required("Send").findall(f"{{{_SHELL}}}Stream"):
            try:
                data += base64.b64decode((stream.text or "").strip(), validate=True)
            except (binascii.Error, ValueError):
                raise invalid("A stream is no base64.") from None
            last = last or stream.get("End", "").lower() in ("true", "1")
        return data, last

    def signal(self) -> str:
        """The code of a Signal, in lower case, without its address."""
        code = self._required("Signal").findtext(f"{{{_SHELL}}}Code") or ""
        return code.rsplit("/", 1)[-1].lower()

    def room(self) -> int:
        """How many bytes of output fit into one answer."""
        return max(1_024, (self.envelope - _ENVELOPE_OVERHEAD) * 3 // 4)

    def _required(self, tag: str) -> ElementTree.Element:
        if self.body is None or self.body.tag != f"{{{_SHELL}}}{tag}":
            raise invalid(f"The body has no {tag}.")
        return self.body


def parse(data: bytes) -> Request:
    """Read a request. Raises `Fault` for what is no SOAP envelope or has a document type declaration."""
    try:
        root = ElementTree.fromstring(data, parser=ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, ValueError, LookupError):
        raise invalid("The request is no well-formed XML.") from None
    header = root.find(f"{{{_ENVELOPE}}}Header")
    if root.tag != f"{{{_ENVELOPE}}}Envelope" or header is None:
        raise invalid("The request is no SOAP 1.2 envelope with a header.")
    body = root.find(f"{{{_ENVELOPE}}}Body")
    envelope = header.findtext(f"{{{_WSMAN}}}MaxEnvelopeSize", "").strip()
    shell = ""
    for selector in header.iter(f"{{{_WSMAN}}}Selector"):
        if selector.get("Name") == "ShellId":
            shell = (selector.text or "").strip().upper()
    return Request(
        action=header.findtext(f"{{{_ADDRESSING}}}Action", "").strip(),
        message_id=header.findtext(f"{{{_ADDRESSING}}}MessageID", "").strip(),
        resource=header.findtext(f"{{{_WSMAN}}}ResourceURI", "").strip(),
        shell=shell,
        timeout=_seconds(header.findtext(f"{{{_WSMAN}}}OperationTimeout", "").strip()),
        envelope=int(envelope) if envelope.isdecimal() else _DEFAULT_ENVELOPE,
        body=body[0] if body is not None and len(body) else None,
    )


def _seconds(duration: str) -> float:
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        return _DEFAULT_TIMEOUT
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), (86_400, 3_600, 60, 1), strict=True))


def created(request: Request, shell: str) -> bytes:
    """The answer to Create."""
    return _answer(
        request,
        f"{_TRANSFER}/CreateResponse",
        f"<x:ResourceCreated><a:Address>https://localhost/wsman</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{CMD_SHELL}</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId><rsp:ResourceUri>{CMD_SHELL}</rsp:ResourceUri>"
        f"<rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
        f"<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>",
    )


def started(request: Request, command: str) -> bytes:
    """The answer to Command."""
    body = f"<rsp:CommandResponse><rsp:CommandId>{escape(command)}</rsp:CommandId></rsp:CommandResponse>"
    return _answer(request, f"{_SHELL}/CommandResponse", body)


def taken(request: Request) -> bytes:
    """The answer to Send."""
    return _answer(request, f"{_SHELL}/SendResponse", "<rsp:SendResponse/>")


def signalled(request: Request) -> bytes:
    """The answer to Signal."""
    return _answer(request, f"{_SHELL}/SignalResponse", "<rsp:SignalResponse/>")


def deleted(request: Request) -> bytes:
    """The answer to Delete."""
    return _answer(request, f"{_TRANSFER}/DeleteResponse", "")


def received(request: Request, command: str, streams: Iterable[tuple[str, bytes]], code: int | None) -> bytes:
    """The answer to Receive: pieces of the streams, and the exit code once the command is done and all is sent."""
    name = quoteattr(command)
    pieces = "".join(
        f"<rsp:Stream Name={quoteattr(stream)} CommandId={name}>{base64.b64encode(data).decode()}</rsp:Stream>"
        for stream, data in streams
        if data
    )
    if code is None:
        state = f'<rsp:CommandState CommandId={name} State="{_SHELL}/CommandState/Running"/>'
    else:
        pieces += "".join(f'<rsp:Stream Name="{one}" CommandId={name} End="true"/>' for one in ("stdout", "stderr"))
        state = (
            f'<rsp:CommandState CommandId={name} State="{_SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>"
        )
    body = f"<rsp:ReceiveResponse>{pieces}{state}</rsp:ReceiveResponse>"
    return _answer(request, f"{_SHELL}/ReceiveResponse", body)


def faulted(fault: Fault, message_id: str, machine: str) -> bytes:
    """The body of the HTTP 500 that tells of a fault."""
    reason = escape(fault.reason)
    return _envelope(
        f"{_WSMAN.removesuffix('/wsman.xsd')}/fault",
        message_id,
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{_FAULT}" Code="{fault.code}" Machine={quoteattr(machine)}>'
        f"<f:Message>{reason}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )


def _answer(request: Request, action: str, body: str) -> bytes:
    return _envelope(action, request.message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{_ENVELOPE}" xmlns:a="{_ADDRESSING}" xmlns:x="{_TRANSFER}"'
        f' xmlns:w="{_WSMAN}" xmlns:rsp="{_SHELL}">'
        f"<s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{_ADDRESSING}/role/anonymous</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
