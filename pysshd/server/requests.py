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

__all__ = [
    "Break",
    "Env",
    "Exec",
    "Global",
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
