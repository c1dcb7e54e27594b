"""What every policy decides alike: requests that the language itself answers or refuses, whatever is granted."""

from typing import Final

from pysshd.patterns.names import SIGNALS, is_subsystem, is_term, variable_fault
from pysshd.policy.decide_net import refusal_of_net
from pysshd.policy.decide_sftp import refusal_of_sftp
from pysshd.policy.decision import Decision
from pysshd.policy.query import Break, Env, Exec, Global, Pty, Request, Session, Sftp, Signal, Subsystem
from pysshd.policy.ways import GlobalWay

GLOBAL_ALWAYS: Final = frozenset(["keepalive@openssh.com", "no-more-sessions@openssh.com"])
"""Answered with a bare success. `hostkeys-prove-00@openssh.com` is always answered too, but with signatures, by whoever
holds the keys: it never comes here, and a bare success would be wrong."""


def settled(request: Request) -> Decision | None:
    """The decision on a request that every policy decides alike, or None where a policy has a say."""
    found, reason = settled_alone(request), refusal_of_net(request)
    return Decision(False, None, decided_by="the language", reason=reason) if found is None and reason else found


def settled_alone(request: Request) -> Decision | None:
    """The same, but for what is read of a request that reaches beyond the session."""
    if isinstance(request, Global) and request.name in GLOBAL_ALWAYS:
        return Decision(True, GlobalWay(), decided_by="the language", reason="it is always answered")
    reason = _refusal(request)
    return Decision(False, None, decided_by="the language", reason=reason) if reason else None


def _refusal(request: Request) -> str:
    """Why a request is refused whatever is granted, or ""."""
    if isinstance(request, Session) and request.kind != "session":
        return "no channel of this kind may be opened by a client"
    running = request.running if isinstance(request, Signal | Break) else request
    if isinstance(running, Exec) and b"\0" in running.command:
        return "the command has a NUL"
    if isinstance(running, Subsystem) and not is_subsystem(running.name):
        return "the subsystem's name is of no form that is served"
    if isinstance(request, Pty) and not is_term(request.term):
        return "TERM is not of the form that is served"
    if isinstance(request, Signal) and request.name not in SIGNALS:
        return "the signal is none of RFC 4254"
    if isinstance(request, Sftp):
        return refusal_of_sftp(request)
    return _env_refusal(request) if isinstance(request, Env) else ""


def _env_refusal(request: Env) -> str:
    fault = variable_fault(request.name, request.value)
    return f"the variable {fault}" if fault else ""
