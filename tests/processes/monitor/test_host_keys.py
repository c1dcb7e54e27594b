"""What host keys sign beside exchange hashes: proofs of themselves; and logins that are bound to one of them."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.host_keys import ProveHostKeys, Sign
from pysshd.processes.boundary.calls.login import BeginAuth, ProbeKey, VerifyKey
from pysshd.processes.monitor.signer import Signer
from pysshd.ssh.crypto.certs import parse_certificate
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.requests import decode_strings
from tests.processes.monitor.house import ALICE, CURVED, HASH, HOST_KEY, TERMS, House, in_house, signed

SECOND = generate_private_key("ed25519")
RSA = generate_private_key("rsa", 3072)
KEYS = [HOST_KEY, SECOND, RSA]
ORDER = ("ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512")
BLOBS = tuple(key.public.blob for key in KEYS)
HOSTBOUND = codec.string(b"publickey-hostbound-v00@openssh.com")


def proof_data(key: bytes, session_id: bytes = HASH) -> bytes:
    """As the OpenSSH document has it, and not as our own code does."""
    return codec.string(b"hostkeys-prove-00@openssh.com") + codec.string(session_id) + codec.string(key)


def certificate(key: PrivateKey, by: PrivateKey) -> Any:
    """A host certificate for an ed25519 key (PROTOCOL.certkeys), for ever and for every name."""
    public = key.public.blob[len(codec.text("ssh-ed25519")) :]
    body = (
        codec.text("ssh-ed25519-cert-v01@openssh.com")
        + codec.string(b"n" * 32)
        + public
        + bytes(8)
        + codec.uint32(2)
        + codec.text("host")
        + codec.string(b"")
        + bytes(8)
        + b"\xff" * 8
        + codec.string(b"") * 3
        + codec.string(by.public.blob)
    )
    return parse_certificate(body + codec.string(by.sign("ssh-ed25519", body)))


def house_of_three(house: House) -> None:
    signer = Signer(KEYS, order=ORDER)
    house.services = replace(house.services, signer=signer)
    house.terms_are(assign=replace(TERMS.assign, host_keys=signer.public, announced=signer.announced))


# --- proofs


@pytest.mark.security("S96")
def test_each_of_our_keys_is_proved_in_this_session() -> None:
    async def run(house: House) -> None:
        house_of_three(house)
        with contextlib.closing(await house.open().to_open()) as wire:
            # A later key exchange changes nothing: the session is the first one's.
            await wire.ask(Sign, "ssh-ed25519", b"another hash of 32 bytes, for it")
            for asked in (BLOBS, BLOBS[::-1], BLOBS[1:2], BLOBS[:1] * 3):
                answer = await wire.ask(ProveHostKeys, asked)
                assert answer.ok
                proofs = decode_strings(answer.data)
                assert len(proofs) == len(asked)
                for blob, proof in zip(asked, proofs, strict=True):
                    key = KEYS[BLOBS.index(blob)]
                    assert codec.Reader(proof).string() in [name.encode() for name in key.algorithms]
                    algorithm = codec.Reader(proof).string().decode()
                    key.public.verify(algorithm, proof, proof_data(blob))

    in_house(run)


@pytest.mark.parametrize(
    ("order", "exchanged", "expected"),
    [
        (ORDER, "ssh-ed25519", "rsa-sha2-512"), (ORDER, "rsa-sha2-256", "rsa-sha2-256"),
        (ORDER, "rsa-sha2-512", "rsa-sha2-512"), (("ssh-ed25519", "rsa-sha2-256"), "ssh-ed25519", "rsa-sha2-256"),
    ],
)  # fmt: skip
def test_an_rsa_key_proves_itself_as_it_did_in_the_exchange(
    order: tuple[str, ...], exchanged: str, expected: str
) -> None:
    proof = Signer(KEYS, order=order).prove(RSA.public.blob, HASH, exchanged)
    assert codec.Reader(proof).string().decode() == expected
    RSA.public.verify(expected, proof, proof_data(RSA.public.blob))


@pytest.mark.security("S96")
@pytest.mark.parametrize(
    "foreign",
    [ALICE.public.blob, b"", b"x" * 32, proof_data(BLOBS[0]), BLOBS[0] + b"\0", BLOBS[0][:-1], codec.string(BLOBS[0])],
)
def test_nothing_else_is_ever_signed(foreign: bytes) -> None:
    async def run(house: House) -> None:
        house_of_three(house)
        with contextlib.closing(await house.open().to_open()) as wire:
            for asked in ((foreign,), (*BLOBS, foreign), (foreign, BLOBS[0])):
                answer = await wire.ask(ProveHostKeys, asked)
                assert (answer.ok, answer.data) == (False, b"")
            assert (await wire.ask(ProveHostKeys, BLOBS)).ok

    in_house(run)


@pytest.mark.security("S96")
@pytest.mark.security("S112")
@pytest.mark.parametrize("phase", ["kex", "auth"])
def test_a_worker_that_wants_proofs_before_the_login_dies(phase: str) -> None:
    async def run(house: House) -> None:
        wire = await (house.open().to_kex() if phase == "kex" else house.open().to_auth())
        wire.say(ProveHostKeys(9, BLOBS))
        await wire.killed(f"call ProveHostKeys came in phase {phase}")
        wire.close()

    in_house(run)


@pytest.mark.security("S96")
def test_a_proof_is_no_exchange_hash_and_a_hash_no_proof() -> None:
    signer = Signer(KEYS, order=ORDER)
    for blob in BLOBS:
        with pytest.raises(BoundaryError, match="expected 32, 48 or 64"):
            signer.sign("ssh-ed25519", proof_data(blob))


def test_what_the_policy_leaves_out_neither_signs_nor_proves() -> None:
    signer = Signer([*KEYS, CURVED], order=("ssh-ed25519",))
    assert signer.public == (("ssh-ed25519", HOST_KEY.public.blob),)
    assert signer.announced == BLOBS[:2]
    with pytest.raises(BoundaryError, match="not announced"):
        signer.prove(CURVED.public.blob, HASH, "ssh-ed25519")
    with pytest.raises(BoundaryError, match="no key is there"):
        signer.sign("ecdsa-sha2-nistp256", HASH)


def test_proofs_are_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(house: House) -> None:
        house_of_three(house)
        with contextlib.closing(await house.open().to_open()) as wire:
            pauses: list[float] = []

            async def sleep(seconds: float) -> None:
                if seconds:
                    pauses.append(seconds)

            monkeypatch.setattr("pysshd.processes.monitor.signing.asyncio.sleep", sleep)
            for _ in range(4):
                assert (await wire.ask(ProveHostKeys, BLOBS[:1] * 30)).ok
            assert len(pauses) > 10
            assert all(0 < pause < 1 for pause in pauses)
            monkeypatch.undo()

    in_house(run)


# --- certificates


def test_a_certificate_is_shown_and_its_key_signs() -> None:
    made = certificate(SECOND, ALICE)
    name = "ssh-ed25519-cert-v01@openssh.com"
    signer = Signer(KEYS, [(SECOND, made)], order=(name, *ORDER))
    assert signer.public[:2] == ((name, made.blob), ("ssh-ed25519", HOST_KEY.public.blob))
    SECOND.public.verify("ssh-ed25519", signer.sign(name, HASH), HASH)
    assert signer.announced == BLOBS
    proof = signer.prove(SECOND.public.blob, HASH, name)
    SECOND.public.verify("ssh-ed25519", proof, proof_data(SECOND.public.blob))


# --- logins that are bound to the host key


def bound(host_key: bytes = HOST_KEY.public.blob, **changes: Any) -> bytes:
    """Alice's signature of a host-bound request."""
    blob = codec.string(ALICE.public.blob) + codec.string(host_key)
    return signed(ALICE, **{"method": HOSTBOUND, "blob": blob, **changes})


def asked(signature: bytes, host_key: bytes = HOST_KEY.public.blob) -> tuple[Any, ...]:
    return VerifyKey, "ssh-ed25519", ALICE.public.blob, signature, host_key


def test_a_bound_login_is_a_login_by_key() -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            probe = await wire.ask(ProbeKey, "ssh-ed25519", ALICE.public.blob, HOST_KEY.public.blob)
            assert probe.outcome == 0
            assert (await wire.ask(*asked(bound()))).outcome == 0
            assert wire.logins == 1
            assert house.memory.the("login.accepted")["methods"] == "publickey"

    in_house(run)


WRONG = {
    "another key": (bound(SECOND.public.blob), SECOND.public.blob),
    "junk": (bound(b"junk"), b"junk"),
    "another key than signed": (bound(SECOND.public.blob), HOST_KEY.public.blob),
    "plain signature, bound request": (signed(ALICE), HOST_KEY.public.blob),
    "bound signature, plain request": (bound(), b""),
    "bound name, no host key signed": (signed(ALICE, method=HOSTBOUND), HOST_KEY.public.blob),
    "plain name, host key signed": (bound(method=codec.string(b"publickey")), HOST_KEY.public.blob),
    "plain name, host key signed, plain request": (bound(method=codec.string(b"publickey")), b""),
    "another session": (bound(session_id=codec.string(b"H" * 32)), HOST_KEY.public.blob),
    "another user": (bound(user=codec.string(b"bob")), HOST_KEY.public.blob),
    "something behind": (
        bound(blob=codec.string(ALICE.public.blob) + codec.string(HOST_KEY.public.blob) + b"\0"),
        HOST_KEY.public.blob,
    ),
}


@pytest.mark.security("S54")
@pytest.mark.parametrize("what", WRONG)
def test_a_login_bound_to_anything_else_is_refused(what: str) -> None:
    signature, host_key = WRONG[what]

    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            assert (await wire.ask(*asked(signature, host_key))).outcome == 2
            assert house.server.count("check_auth_publickey") == 0
            assert wire.logins == 0
            reason = house.memory.the("login.refused")["reason"]
            assert ("host key" if host_key not in (HOST_KEY.public.blob, b"") else "signature") in reason
            assert (await wire.ask(*asked(bound()))).outcome == 0

    in_house(run)


@pytest.mark.security("S54")
def test_a_probe_for_another_host_key_fails_as_one_for_an_unknown_key() -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            answer = await wire.ask(ProbeKey, "ssh-ed25519", ALICE.public.blob, SECOND.public.blob)
            assert answer.outcome == 2
            assert house.server.count("check_auth_publickey") == 0

    in_house(run)


@pytest.mark.security("S35")
@pytest.mark.security("S54")
def test_the_host_key_is_that_of_the_first_exchange() -> None:
    async def run(house: House) -> None:
        house_of_three(house)
        wire = await house.open().to_kex()
        await wire.ask(Sign, "ssh-ed25519", HASH)
        await wire.ask(Sign, "rsa-sha2-512", b"another hash of 32 bytes, for it")
        await wire.ask(BeginAuth, b"alice", "ssh-connection", b"SSH-2.0-x")
        later = RSA.public.blob
        assert (await wire.ask(*asked(bound(later), later))).outcome == 2
        assert (await wire.ask(*asked(bound()))).outcome == 0
        wire.close()

    in_house(run)


@pytest.mark.security("S40")
def test_an_rsa_key_below_the_policy_is_refused_unasked() -> None:
    small = PrivateKey(rsa.generate_private_key(65537, 2048))

    async def run(house: House) -> None:
        house.terms_are(min_rsa_bits=3072)
        house.answers["check_auth_publickey"] = 0
        with contextlib.closing(await house.open().to_auth()) as wire:
            for key, outcome in ((small, 2), (RSA, 0)):
                proof = signed(key, "rsa-sha2-512")
                answer = await wire.ask(ProbeKey, "rsa-sha2-512", key.public.blob)
                assert answer.outcome == outcome
                answer = await wire.ask(VerifyKey, "rsa-sha2-512", key.public.blob, proof)
                assert answer.outcome == outcome
            assert (
                house.memory.the("login.refused")["reason"] == "rsa key has 2048 bits, the policy expects at least 3072"
            )

    in_house(run)
