"""pysshd: an SSH daemon whose behaviour is one policy file.

The names below are handed on lazily, because this module also runs in the lean processes that must import no policy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pysshd.version import __version__

if TYPE_CHECKING:
    from pysshd.daemon.api import serve
    from pysshd.server.channel import Channel
    from pysshd.server.connection import Connection
    from pysshd.server.constants import (
        AUTH_FAILED,
        AUTH_PARTIALLY_SUCCESSFUL,
        AUTH_SUCCESSFUL,
        OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
        OPEN_FAILED_CONNECT_FAILED,
        OPEN_FAILED_RESOURCE_SHORTAGE,
        OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
        OPEN_SUCCEEDED,
    )
    from pysshd.server.interface import ServerInterface
    from pysshd.server.keys import PKey
    from pysshd.server.message import Message
    from pysshd.server.policy_server import PolicyServer
    from pysshd.server.query import InteractiveQuery

_LAZY = {
    "AUTH_FAILED": "pysshd.server.constants",
    "AUTH_PARTIALLY_SUCCESSFUL": "pysshd.server.constants",
    "AUTH_SUCCESSFUL": "pysshd.server.constants",
    "Channel": "pysshd.server.channel",
    "Connection": "pysshd.server.connection",
    "InteractiveQuery": "pysshd.server.query",
    "Message": "pysshd.server.message",
    "OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED": "pysshd.server.constants",
    "OPEN_FAILED_CONNECT_FAILED": "pysshd.server.constants",
    "OPEN_FAILED_RESOURCE_SHORTAGE": "pysshd.server.constants",
    "OPEN_FAILED_UNKNOWN_CHANNEL_TYPE": "pysshd.server.constants",
    "OPEN_SUCCEEDED": "pysshd.server.constants",
    "PKey": "pysshd.server.keys",
    "PolicyServer": "pysshd.server.policy_server",
    "ServerInterface": "pysshd.server.interface",
    "serve": "pysshd.daemon.api",
}

__all__ = [
    "AUTH_FAILED",
    "AUTH_PARTIALLY_SUCCESSFUL",
    "AUTH_SUCCESSFUL",
    "OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED",
    "OPEN_FAILED_CONNECT_FAILED",
    "OPEN_FAILED_RESOURCE_SHORTAGE",
    "OPEN_FAILED_UNKNOWN_CHANNEL_TYPE",
    "OPEN_SUCCEEDED",
    "Channel",
    "Connection",
    "InteractiveQuery",
    "Message",
    "PKey",
    "PolicyServer",
    "ServerInterface",
    "__version__",
    "serve",
]


def __getattr__(name: str) -> Any:
    """Import the public name `name` on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
