"""By what an event names the thing that it is about."""

from typing import NewType

Ticket = NewType("Ticket", int)
"""Names one owed answer; unique within a connection."""

ChannelId = NewType("ChannelId", int)
"""Our number of a channel (RFC 4254 §5), unique within a connection while the channel lives."""
