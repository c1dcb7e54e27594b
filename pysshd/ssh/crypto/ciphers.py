"""The table of ciphers: `CIPHERS[name]` makes the sealer or the opener of one direction.

A new cipher is one row here, a module that does what `packets` asks for, and a vector.
"""

from collections.abc import Callable

from pysshd.records import dataclass
from pysshd.ssh.crypto.chacha import ChaChaOpener, ChaChaSealer
from pysshd.ssh.crypto.ctr_etm import CtrEtmOpener, CtrEtmSealer
from pysshd.ssh.crypto.ctr_mac import CtrMacOpener, CtrMacSealer
from pysshd.ssh.crypto.gcm import GcmOpener, GcmSealer
from pysshd.ssh.crypto.macs import MacSpec
from pysshd.ssh.crypto.packets import PacketOpener, PacketSealer


@dataclass(frozen=True, slots=True)
class CipherSpec:
    """A cipher: sizes in bytes of its key and IV, and whether a MAC must be negotiated for it.

    `sealer` and `opener` take key, IV, MAC and MAC key in exactly these sizes; a cipher that authenticates by itself
    is given None and `b""` for the last two.
    """

    name: str
    key_size: int
    iv_size: int
    needs_mac: bool
    make_sealer: Callable[[bytes, bytes, MacSpec | None, bytes], PacketSealer]
    make_opener: Callable[[bytes, bytes, MacSpec | None, bytes], PacketOpener]

    def sealer(self, key: bytes, iv: bytes, mac: MacSpec | None, mac_key: bytes) -> PacketSealer:
        """A sealer for one direction; `ValueError` where a size does not fit."""
        self._check(key, iv, mac)
        return self.make_sealer(key, iv, mac, mac_key)

    def opener(self, key: bytes, iv: bytes, mac: MacSpec | None, mac_key: bytes) -> PacketOpener:
        """An opener for one direction; `ValueError` where a size does not fit."""
        self._check(key, iv, mac)
        return self.make_opener(key, iv, mac, mac_key)

    def _check(self, key: bytes, iv: bytes, mac: MacSpec | None) -> None:
        if (len(key), len(iv)) != (self.key_size, self.iv_size):
            raise ValueError(
                f"key and iv of {self.name} have {len(key)} and {len(iv)} bytes, "
                f"expected {self.key_size} and {self.iv_size}"
            )
        if self.needs_mac != (mac is not None):
            raise ValueError(f"{self.name} {'needs a mac' if self.needs_mac else 'takes no mac'}")


def _gcm(name: str, key_size: int) -> CipherSpec:
    return CipherSpec(
        name,
        key_size,
        iv_size=12,
        needs_mac=False,
        make_sealer=lambda key, iv, mac, mac_key: GcmSealer(key, iv),
        make_opener=lambda key, iv, mac, mac_key: GcmOpener(key, iv),
    )


def _chacha(name: str) -> CipherSpec:
    return CipherSpec(
        name,
        key_size=64,
        iv_size=0,
        needs_mac=False,
        make_sealer=lambda key, iv, mac, mac_key: ChaChaSealer(key),
        make_opener=lambda key, iv, mac, mac_key: ChaChaOpener(key),
    )


def _ctr_sealer(key: bytes, iv: bytes, mac: MacSpec | None, mac_key: bytes) -> PacketSealer:
    assert mac is not None  # `_check` has refused this
    return (CtrEtmSealer if mac.etm else CtrMacSealer)(key, iv, mac.keyed(mac_key))


def _ctr_opener(key: bytes, iv: bytes, mac: MacSpec | None, mac_key: bytes) -> PacketOpener:
    assert mac is not None  # `_check` has refused this
    return (CtrEtmOpener if mac.etm else CtrMacOpener)(key, iv, mac.keyed(mac_key))


def _ctr(name: str, key_size: int) -> CipherSpec:
    return CipherSpec(name, key_size, iv_size=16, needs_mac=True, make_sealer=_ctr_sealer, make_opener=_ctr_opener)


_ROWS = (
    _chacha("chacha20-poly1305@openssh.com"),
    _gcm("aes256-gcm@openssh.com", 32),
    _gcm("aes128-gcm@openssh.com", 16),
    _ctr("aes256-ctr", 32),
    _ctr("aes192-ctr", 24),
    _ctr("aes128-ctr", 16),
)

CIPHERS: dict[str, CipherSpec] = {row.name: row for row in _ROWS}
"""Every cipher that can be negotiated, by its name."""
