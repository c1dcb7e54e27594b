"""Which reader and writer a connection gets: the plain ones, unless what may be negotiated asks for more."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.transport.masking import MaskingReader
from pysshd.ssh.transport.packet import PacketReader, PacketWriter
from pysshd.ssh.transport.scratch import Scratch
from pysshd.ssh.transport.settings import TransportSettings

if TYPE_CHECKING:
    from pysshd.ssh.transport.compression import Compression


def framing(
    settings: TransportSettings, entropy: Entropy, scratch: Scratch, rest: Callable[[], None]
) -> "tuple[PacketReader, PacketWriter, Compression | None]":
    """The reader, the writer, and what compresses in them if that is offered; `rest` as in `InflatingReader`."""
    packets = settings.max_packets_per_key
    if settings.compression != ("none",):
        # Not at the top: a process that never compresses holds none of it.
        from pysshd.ssh.transport.compression import Compression, DeflatingWriter, InflatingReader

        reader = InflatingReader(packets, scratch, rest)
        writer = DeflatingWriter(entropy, packets, scratch)
        return reader, writer, Compression(reader, writer)
    masks = any(name in MACS and not MACS[name].etm for name in settings.macs)
    return (MaskingReader if masks else PacketReader)(packets, scratch), PacketWriter(entropy, packets, scratch), None
