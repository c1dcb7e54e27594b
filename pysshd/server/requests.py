"""What `plan` is asked about: the requests of the policy, under this room's name, so that its users need no other."""

from pysshd.policy.query import (
    Break,
    Env,
    Exec,
    Global,
    Login,
    Pty,
    Request,
    Run,
    Session,
    Sftp,
    Shell,
    Signal,
    Subsystem,
)
from pysshd.policy.query_net import X11, Agent, Connect, ConnectUnix, Listen, ListenUnix

__all__ = [
    "X11",
    "Agent",
    "Break",
    "Connect",
    "ConnectUnix",
    "Env",
    "Exec",
    "Global",
    "Listen",
    "ListenUnix",
    "Login",
    "Pty",
    "Request",
    "Run",
    "Session",
    "Sftp",
    "Shell",
    "Signal",
    "Subsystem",
]
