"""Every call between a worker and the monitor, and who may read it."""

from collections.abc import Mapping
from typing import Final

from pysshd.processes.boundary.calls import channels, connection, global_requests, host_keys, login, requests
from pysshd.processes.boundary.calls.call import Call, by_number

TO_MONITOR: Final[Mapping[int, type[Call]]] = by_number(
    connection.Ready,
    host_keys.Sign,
    login.BeginAuth,
    login.OfferNone,
    login.OfferPassword,
    login.ProbeKey,
    login.VerifyKey,
    login.BeginInteractive,
    login.AnswerInteractive,
    channels.OpenChannel,
    channels.OpenDirectTcpip,
    requests.RequestPty,
    requests.RequestEnv,
    requests.RequestShell,
    requests.RequestExec,
    requests.RequestSubsystem,
    requests.RequestWindow,
    requests.RequestSignal,
    requests.RequestBreak,
    requests.RequestX11,
    requests.RequestAgent,
    global_requests.RequestGlobal,
    global_requests.RequestForward,
    global_requests.CancelForward,
    host_keys.ProveHostKeys,
    channels.CloseChannel,
    connection.Report,
    connection.Bye,
)
"""What the monitor reads from a worker."""

TO_WORKER: Final[Mapping[int, type[Call]]] = by_number(
    connection.Assign,
    host_keys.SignAnswer,
    login.Offer,
    login.AuthAnswer,
    login.Ask,
    channels.OpenAnswer,
    requests.RequestAnswer,
    requests.StartAnswer,
    global_requests.GlobalAnswer,
    global_requests.ForwardAnswer,
    channels.Exited,
    connection.EndConnection,
    channels.Joined,
    channels.Finished,
    channels.Notice,
)
"""What a worker reads from the monitor, of one connection."""

TO_SHARED: Final[Mapping[int, type[Call]]] = by_number(connection.TakeSeat, connection.Knock)
"""What a worker that serves many connections reads from the socket that it was forked with."""

FROM_SHARED: Final[Mapping[int, type[Call]]] = by_number(connection.Here)
"""What the monitor reads from that socket."""

CALLS: Final[Mapping[int, type[Call]]] = by_number(
    *TO_MONITOR.values(), *TO_WORKER.values(), *TO_SHARED.values(), *FROM_SHARED.values()
)
"""Every call by its number."""
