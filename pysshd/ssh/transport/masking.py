"""A reader that does not tell a length that can not be from a MAC that does not verify (S06).

With a MAC over the plaintext the length decides what is waited for before anybody vouches for it. So a packet that does
not verify is no fault yet: everything behind it is taken until as much is there as the largest packet has, whatever its
length said, and the fault comes then.
"""

from pysshd.errors import IntegrityError
from pysshd.ssh.crypto.ctr_mac import CtrMacOpener
from pysshd.ssh.crypto.packets import PacketOpener
from pysshd.ssh.transport.packet import PacketReader
from pysshd.ssh.transport.scratch import Scratch


class MaskingReader(PacketReader):
    """As `PacketReader`; only openers that mask make it do anything else."""

    def __init__(self, max_packets_per_key: int, scratch: Scratch | None = None) -> None:
        super().__init__(max_packets_per_key, scratch)
        self._masks = 0
        self._masked: IntegrityError | None = None

    def take_key(self, opener: PacketOpener, restart: bool) -> None:
        """As `PacketReader.take_key`."""
        super().take_key(opener, restart)
        self._masks = opener.masks if isinstance(opener, CtrMacOpener) else 0

    def sole(self, data: memoryview) -> memoryview | None:
        """None: what does not verify may have to wait for more."""
        return None

    def next(self) -> memoryview | None:
        """As `PacketReader.next`."""
        if self._masked is None:
            try:
                return super().next()
            except IntegrityError as error:
                self._masked = error
        # The packet is not taken off where it does not verify: what is held begins with it.
        if self.held < self._masks:
            return None
        raise self._masked
