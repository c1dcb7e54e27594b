"""The independent ciphers of these tests, held to published vectors."""

import hashlib
import hmac

from tests.ssh.crypto.plain_ciphers import aes_ctr, aes_gcm, chacha20_block, poly1305


def unhex(*parts: str) -> bytes:
    return bytes.fromhex("".join(parts))


def test_aes_ctr_of_nist_sp_800_38a() -> None:
    # F.5.1, CTR-AES128.Encrypt, blocks 1 and 2
    key = unhex("2b7e151628aed2a6abf7158809cf4f3c")
    counter = unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plain = unhex("6bc1bee22e409f96e93d7e117393172a", "ae2d8a571e03ac9c9eb76fac45af8e51")
    assert aes_ctr(key, counter, plain) == unhex("874d6191b620e3261bef6864990db6ce", "9806f66b7970fdff8617187bb9fffdff")


def test_aes_gcm_of_nist() -> None:
    # The GCM specification (McGrew and Viega), appendix B, test case 4
    key = unhex("feffe9928665731c6d6a8f9467308308")
    nonce = unhex("cafebabefacedbaddecaf888")
    plain = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    )
    associated = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    assert aes_gcm(key, nonce, plain, associated) == unhex(
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e",
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        "5bc94fbc3221a5db94fae95ae7121a47",
    )


def test_chacha20_of_rfc_8439() -> None:
    # §2.3.2
    block = chacha20_block(bytes(range(32)), unhex("01000000", "000000090000004a00000000"))
    assert block == unhex(
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e",
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
    )


def test_poly1305_of_rfc_8439() -> None:
    # §2.5.2
    key = unhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
    assert poly1305(key, b"Cryptographic Forum Research Group") == unhex("a8061dc1305136c6c22b8baf0c0127a9")


def test_hmac_of_rfc_4231() -> None:
    # Test case 2 (§4.3)
    data = b"what do ya want for nothing?"
    assert hmac.new(b"Jefe", data, hashlib.sha256).hexdigest() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
