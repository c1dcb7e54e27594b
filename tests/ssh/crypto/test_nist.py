"""ECDH on the NIST curves: vectors of RFC 5903, and points that a peer must not send (S31)."""

from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import KeyExchangeError
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.kex import KEX_METHODS
from pysshd.ssh.crypto.nist import NISTP256, NISTP384, NISTP521, Curve
from pysshd.ssh.wire import codec
from tests.ssh.crypto import client

CURVES = (NISTP256, NISTP384, NISTP521)
every_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)


@dataclass
class Given:
    """Entropy that gives out one octet string after the other."""

    values: list[bytes]
    sizes: list[int] = field(default_factory=list)

    def octets(self, size: int) -> bytes:
        self.sizes.append(size)
        return self.values.pop(0)

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        raise NotImplementedError


# RFC 5903 §8.1 to §8.3: i, gix, giy, r, grx, gry, girx
RFC_5903 = {
    "nistp256": """
        C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433
        DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180
        5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3
        C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53
        D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63
        56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB
        D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE""",
    "nistp384": """
        099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896783AB194
        667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6DE3AC808ACB4BDB4C88732AEE95F41AA
        9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C634573A81C
        41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942E0308312916B8ED2960E4BD55A7448FC
        E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0774A3571
        DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96DB9E6386C
        11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A270F59746""",
    "nistp521": """
        0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A0
        95AA85A30FE1C2952C6771D937BA9777F5957B2639BAB072462F68C27A57382D4A52
        0015417E84DBF28C0AD3C278713349DC7DF153C897A1891BD98BAB4357C9ECBE
        E1E3BF42E00B8E380AEAE57C2D107564941885942AF5A7F4601723C4195D176CED3E
        017CAE20B6641D2EEB695786D8C946146239D099E18E1D5A514C739D7CB4A10A
        D8A788015AC405D7799DC75E7B7D5B6CF2261A6A7F1507438BF01BEB6CA3926F9582
        0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E
        9C677D600B343757A3BDBF2A3163E4C2F869CCA7458AA4A4EFFC311F5CB151685EB9
        00D0B3975AC4B799F5BEA16D5E13E9AF971D5E9B984C9F39728B5E5739735A21
        9B97C356436ADC6E95BB0352F6BE64A6C2912D4EF2D0433CED2B6171640012D9460F
        015C68226383956E3BD066E797B623C27CE0EAC2F551A10C2C724D9852077B87
        220B6536C5C408A1D2AEBB8E86D678AE49CB57091F4732296579AB44FCD17F0FC56A
        01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04
        D1427E73CA4BAA240A34786859810C06B3C715A3A8CC3151F2BEE417996D19F3DDEA""",
}


def as_drawn(curve: Curve, scalar: bytes) -> bytes:
    """The octets that the scalar is made of."""
    spare = 8 * curve.secret_size - curve.curve.key_size
    return (int.from_bytes(scalar, "big") << spare).to_bytes(curve.secret_size, "big")


@every_curve
def test_vectors_of_rfc_5903(curve: Curve) -> None:
    data, size = bytes.fromhex(RFC_5903[curve.name]), curve.secret_size
    assert len(data) == 7 * size
    i, gix, giy, r, grx, gry, girx = (data[at : at + size] for at in range(0, 7 * size, size))
    ours, theirs = b"\4" + grx + gry, b"\4" + gix + giy
    assert curve.exchange(Given([as_drawn(curve, r)]), theirs) == (ours, girx)
    assert curve.exchange(Given([as_drawn(curve, i)]), ours) == (theirs, girx)
    # RFC 5656 §4: K is an mpint
    share = KEX_METHODS[f"ecdh-sha2-{curve.name}"].respond(Given([as_drawn(curve, r)]), theirs)
    assert (share.reply, share.secret) == (ours, codec.mpint(int.from_bytes(girx, "big")))


@every_curve
def test_a_scalar_outside_of_the_order_is_drawn_again(curve: Curve) -> None:
    order, spare = curve.curve.group_order, 8 * curve.secret_size - curve.curve.key_size
    bad = [bytes(curve.secret_size), (order << spare).to_bytes(curve.secret_size, "big"), b"\xff" * curve.secret_size]
    good = ((order - 1) << spare).to_bytes(curve.secret_size, "big")
    entropy = Given([*bad, good])
    public, _ = curve.exchange(entropy, client.start(f"ecdh-sha2-{curve.name}").public)
    assert entropy.sizes == [curve.secret_size] * 4
    # The order less one times the generator is the generator with the other sign.
    base = (
        ec.derive_private_key(1, curve.curve).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    assert public[: 1 + curve.secret_size] == base[: 1 + curve.secret_size]
    assert public != base


def encodings(curve: Curve) -> dict[str, bytes]:
    whole = client.start(f"ecdh-sha2-{curve.name}").public
    size = curve.secret_size
    x, y = whole[1 : 1 + size], whole[1 + size :]
    prime = {"nistp256": 2**256 - 2**224 + 2**192 + 2**96 - 1, "nistp384": 2**384 - 2**128 - 2**96 + 2**32 - 1}
    field_size = prime.get(curve.name, 2**521 - 1)
    return {
        "compressed": bytes([2 + (y[-1] & 1)]) + x,
        "compressed, as long as a whole one": bytes([2 + (y[-1] & 1)]) + x + y,
        "hybrid": bytes([6 + (y[-1] & 1)]) + x + y,
        "infinity": b"\0",
        "infinity, filled up": bytes(len(whole)),
        "not on the curve": whole[:-1] + bytes([whole[-1] ^ 1]),
        "zero": b"\4" + bytes(2 * size),
        "x is the prime": b"\4" + field_size.to_bytes(size, "big") + y,
        "y is larger than the prime": b"\4" + x + b"\xff" * size,
        "too short": whole[:-1],
        "too long": whole + b"\0",
        "empty": b"",
        "of another curve": client.start(
            "ecdh-sha2-nistp256" if curve is not NISTP256 else "ecdh-sha2-nistp384"
        ).public,
    }


every_form = pytest.mark.parametrize("what", encodings(NISTP256))


@pytest.mark.security("S31")
@every_curve
@every_form
def test_points_in_no_other_form(curve: Curve, what: str) -> None:
    with pytest.raises(KeyExchangeError, match=curve.name):
        KEX_METHODS[f"ecdh-sha2-{curve.name}"].respond(SystemEntropy(), encodings(curve)[what])


HYBRIDS = [("mlkem768nistp256-sha256", NISTP256), ("mlkem1024nistp384-sha384", NISTP384)]


@pytest.mark.security("S31")
@pytest.mark.parametrize(("name", "curve"), HYBRIDS)
@every_form
def test_points_of_the_hybrids(name: str, curve: Curve, what: str) -> None:
    front = client.start(name).public[: -curve.public_size]
    with pytest.raises(KeyExchangeError):
        KEX_METHODS[name].respond(SystemEntropy(), front + encodings(curve)[what])


@every_curve
@given(data=st.data())
def test_any_bytes_are_a_point_or_refused(curve: Curve, data: st.DataObject) -> None:
    value = b"\4" + data.draw(st.binary(min_size=curve.public_size - 1, max_size=curve.public_size - 1))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, value)
    except ValueError:
        with pytest.raises(KeyExchangeError, match="not a point"):
            curve.respond(SystemEntropy(), value)
    else:
        assert curve.respond(SystemEntropy(), value).secret
