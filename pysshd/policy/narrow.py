"""What the certificates of a login leave of the grants: they narrow, and never widen (policy.md, Grants 5)."""

from collections.abc import Iterable, Mapping
from typing import Final

from pysshd.policy.query import Pty, Request
from pysshd.policy.query_net import X11, Agent, Connect, ConnectUnix, Listen, ListenUnix
from pysshd.policy.steps import Step

_FORWARDING: Final = "permit-port-forwarding"

PERMITTED_BY: Final[Mapping[type, str]] = {
    Pty: "permit-pty",
    X11: "permit-X11-forwarding",
    Agent: "permit-agent-forwarding",
    **dict.fromkeys((Connect, ConnectUnix, Listen, ListenUnix), _FORWARDING),
}
"""Kinds of requests that a certificate permits by an extension (PROTOCOL.certkeys), and refuses where it has none."""


def narrowed(request: Request, steps: Iterable[Step]) -> str:
    """Why a certificate of these steps does not let the request be, or ""."""
    extension = PERMITTED_BY.get(type(request))
    if extension is None:
        return ""
    certificates = (step.certificate for step in steps if step.certificate is not None)
    lacking = next((one for one in certificates if extension not in one.extensions), None)
    return f"the certificate of {lacking.authority} has no {extension}" if lacking is not None else ""
