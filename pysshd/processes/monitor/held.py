"""Tasks that nobody waits for: the event loop itself keeps none from being collected before its end."""

import asyncio
from typing import Any, Final

_HELD: Final[set[asyncio.Future[Any]]] = set()


def hold(task: asyncio.Future[Any]) -> None:
    """Keep `task` until it is done."""
    _HELD.add(task)
    task.add_done_callback(_HELD.discard)
