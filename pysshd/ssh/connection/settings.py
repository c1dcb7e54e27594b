"""The limits and times that a connection machine keeps to."""

from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Limits on what a peer can make us hold; sizes in bytes, times in seconds, None for a time switches off."""

    max_channels: int = 100
    """Channels at once, those still to be answered included; one more open is refused with code 4."""

    max_pending: int = 512
    """Requests at once that still wait for their verdict; one more ends the connection."""

    window: int = 2 << 20
    """What the peer may send on a channel before it must wait for us."""

    max_packet: int = 32 << 10
    """Data in one message, either way."""

    min_packet: int = 256
    """A peer that takes less than this in one message is refused its channel: each byte would cost a packet."""

    max_command: int = 32 << 10
    """Of an exec request."""

    max_env_requests: int = 128
    """On one channel; further ones fail."""

    max_env_name: int = 256
    max_env_value: int = 8 << 10

    host_keys: tuple[bytes, ...] = ()
    """The blobs of all our host keys, which a client is told once it is authenticated; empty: it is told nothing."""

    max_global_data: int = 16 << 10
    """What may follow the name of a global request that is not one of ours."""

    keepalive_interval: float | None = None
    """The peer is asked for a sign of life when it said nothing for this long."""

    keepalive_count: int = 3
    """So many unanswered keepalives, and the peer is dead."""

    unused_timeout: float | None = None
    """The connection ends when it had no channel for this long."""
