"""Which step of a login and which act on its channels answers a call of a worker, and what a worker may report."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import OpenChannel, OpenDirectTcpip
from pysshd.processes.boundary.calls.global_requests import CancelForward, RequestForward, RequestGlobal
from pysshd.processes.boundary.calls.login import (
    AnswerInteractive,
    BeginInteractive,
    OfferNone,
    OfferPassword,
    ProbeKey,
    VerifyKey,
)
from pysshd.processes.boundary.calls.requests import (
    RequestAgent,
    RequestBreak,
    RequestEnv,
    RequestExec,
    RequestPty,
    RequestShell,
    RequestSignal,
    RequestSubsystem,
    RequestWindow,
    RequestX11,
)
from pysshd.processes.monitor.channels import Channels
from pysshd.processes.monitor.login import Login

STEPS: Mapping[type[Call], Callable[[Login, Any], Awaitable[Call]]] = {
    OfferNone: Login.none,
    OfferPassword: Login.password,
    ProbeKey: Login.probe,
    VerifyKey: Login.verify,
    BeginInteractive: Login.interactive,
    AnswerInteractive: Login.answered,
}

USES: Mapping[type[Call], Callable[[Channels, Any], Awaitable[Call | None]]] = {
    OpenChannel: Channels.open,
    OpenDirectTcpip: Channels.open_direct_tcpip,
    RequestPty: Channels.pty,
    RequestEnv: Channels.env,
    RequestShell: Channels.shell,
    RequestExec: Channels.exec,
    RequestSubsystem: Channels.subsystem,
    RequestWindow: Channels.window,
    RequestSignal: Channels.signal,
    RequestBreak: Channels.send_break,
    RequestX11: Channels.x11,
    RequestAgent: Channels.agent,
    RequestGlobal: Channels.global_request,
    RequestForward: Channels.forward,
    CancelForward: Channels.cancel_forward,
}

REPORTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "negotiated": ("connection.negotiated", frozenset({"client", "kex", "host_key", "cipher", "strict"})),
    "failed": ("connection.failed", frozenset({"reason", "detail"})),
    "disconnected": ("connection.disconnected", frozenset({"reason", "text"})),
}
"""What a worker may report: the event of the log, and the fields that are its to fill."""
