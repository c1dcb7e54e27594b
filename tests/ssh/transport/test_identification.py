"""The first line (RFC 4253 §4.2)."""

import pytest

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.transport.identification import parse


@pytest.mark.parametrize(
    ("line", "identification"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u6\r\n", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u6"),
        (b"SSH-2.0-dropbear_2022.83\n", b"SSH-2.0-dropbear_2022.83"),
        (b"SSH-1.99-old\r\n", b"SSH-1.99-old"),
        (b"SSH-2.0-x\r\n", b"SSH-2.0-x"),
    ],
)
def test_taken(line: bytes, identification: bytes) -> None:
    assert parse(line) == identification


@pytest.mark.security("S01")
@pytest.mark.security("S02")
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"SSH-1.5-old\r\n", DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED),
        (b"SSH-2.1-new\r\n", DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED),
        (b"SSH-2.0-\r\n", DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED),
        (b"SSH-2.0\r\n", DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED),
        (b"\r\n", DisconnectReason.PROTOCOL_ERROR),
        (b"ssh-2.0-x\r\n", DisconnectReason.PROTOCOL_ERROR),
        (b"GET / HTTP/1.1\r\n", DisconnectReason.PROTOCOL_ERROR),
        (b"SSH-2.0-a\0b\r\n", DisconnectReason.PROTOCOL_ERROR),
        (b"SSH-2.0-a\x1b[2Jb\r\n", DisconnectReason.PROTOCOL_ERROR),
        (b"SSH-2.0-a\rb\r\n", DisconnectReason.PROTOCOL_ERROR),
        (b"SSH-2.0-\xc3\xa4\r\n", DisconnectReason.PROTOCOL_ERROR),
    ],
)
def test_refused(line: bytes, reason: DisconnectReason) -> None:
    with pytest.raises(ProtocolError) as error:
        parse(line)
    assert error.value.reason == reason
