"""One message of a process that says one thing and has no descriptors to give, such as a helper."""

import asyncio
import os

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.socket import Endpoint


async def hear(endpoint: Endpoint, who: str) -> bytes:
    """Wait for the next message of `who`; BoundaryError for an end without one, or for descriptors with it."""
    endpoint.set_blocking(False)
    await readable(endpoint)
    received = endpoint.recv()
    if received is None:
        raise BoundaryError(f"{who} ended without an answer")
    for descriptor in received.fds:
        os.close(descriptor)
    if received.fds:
        raise BoundaryError(f"{who} sent descriptors")
    return received.message


async def readable(endpoint: Endpoint) -> None:
    """Wait until `endpoint` has something to read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(endpoint.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(endpoint.fileno())
