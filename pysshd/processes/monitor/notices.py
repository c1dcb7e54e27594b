"""What a client is told of a refusal, or of the end of what it had: the id of the decision, nothing of the policy.

Whoever runs the daemon finds by the id what was decided, and why.
"""

import re
from typing import Final

REFUSED: Final = "refused"
LOGIN_REFUSED: Final = "login refused"
SESSION_ENDED: Final = "this session is no longer allowed and has been ended"
ACCESS_ENDED: Final = "access has ended"
NOT_STARTED: Final = "could not be started"

_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


def notice(text: str, decision: str | None) -> str:
    """Return a text for the client, with the id of the decision behind it; ids of another form are left out."""
    return f"{text} (id {decision})" if decision is not None and _ID.fullmatch(decision) else text


def line(text: str, decision: str | None) -> bytes:
    """Return a notice as a line of standard error, which a raw terminal shows as one too.

    It says who speaks, for it stands among what programs write, and not by which program: that is nobody's business.
    """
    return f"ssh server: {notice(text, decision)}\r\n".encode()
