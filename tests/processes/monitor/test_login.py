"""The login in the monitor: what counts, what is refused, what it takes, and what the log may not hold."""

import asyncio
import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysshd.policy.query import Step
from pysshd.processes.boundary.calls.login import (
    AnswerInteractive,
    Ask,
    BeginInteractive,
    OfferNone,
    OfferPassword,
    ProbeKey,
    VerifyKey,
)
from pysshd.server.query import InteractiveQuery
from pysshd.ssh.wire import codec
from tests.processes.monitor.house import ALICE, CURVED, EVE, House, in_house, signed

SECRET = "the-canary-of-a-password"


@pytest.mark.security("S53")
def test_a_probe_never_authenticates_nor_counts() -> None:
    async def run(house: House) -> None:
        house.terms_are(auth_attempts=3)
        with contextlib.closing(await house.open().to_auth()) as wire:
            for _ in range(20):
                assert (await wire.ask(ProbeKey, "ssh-ed25519", ALICE.public.blob)).outcome == 0
            assert wire.logins == 0
            assert wire.connection._login is not None
            assert wire.connection._login.failures == 0
            assert house.server.connection.progress.steps == ()
            # Probe one, sign another.
            for key, good in ((EVE, 2), (ALICE, 0)):
                answer = await wire.ask(VerifyKey, "ssh-ed25519", key.public.blob, signed(key))
                assert answer.outcome == good
            steps: tuple[Step, ...] = house.server.connection.progress.steps
            assert [step.key for step in steps] == [ALICE.public.fingerprint]
            assert house.memory.the("login.accepted")["key"] == ALICE.public.fingerprint
            assert house.memory.the("login.refused")["key"] == EVE.public.fingerprint

    in_house(run)


def test_a_hook_hears_whether_a_key_is_probed_or_has_signed() -> None:
    stages: list[str | None] = []

    def note(server: Any, user: str, key: Any) -> int:
        stages.append(server.connection.progress.stage)
        return 0

    async def run(house: House) -> None:
        house.answers["check_auth_publickey"] = note
        with contextlib.closing(await house.open().to_auth()) as wire:
            await wire.ask(ProbeKey, "ssh-ed25519", ALICE.public.blob)
            await wire.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, signed(ALICE))
            assert stages == ["probe", "signed"]
            assert house.server.connection.progress.stage is None

    in_house(run)


@pytest.mark.security("S44")
@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ssh-dss", ALICE), ("", ALICE), ("ssh-ed25519-cert-v01@openssh.com", ALICE), ("ssh-rsa", ALICE),
        ("rsa-sha2-512", ALICE), ("ecdsa-sha2-nistp256", ALICE), ("ssh-ed25519", CURVED),
        ("ecdsa-sha2-nistp384", CURVED),
    ],
)  # fmt: skip
def test_an_algorithm_that_is_unknown_or_another_keys_is_refused_unasked(algorithm: str, key: Any) -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            blob = key.public.blob
            assert (await wire.ask(ProbeKey, algorithm, blob)).outcome == 2
            own = key.algorithms[0]
            proof = signed(key, own, algorithm=codec.string(algorithm.encode()))
            for signature in (proof, codec.text(algorithm) + proof[4 + len(own) :]):
                assert (await wire.ask(VerifyKey, algorithm, blob, signature)).outcome == 2
            assert house.server.count("check_auth_publickey") == 0

    in_house(run)


@pytest.mark.security("S56")
def test_an_unparsable_key_is_a_failure_and_no_more() -> None:
    broken = [
        b"", b"\0", b"\xff" * 40, ALICE.public.blob[:-1], ALICE.public.blob + b"\0", codec.string(b"ssh-ed25519"),
        codec.string(b"ssh-ed25519") + codec.string(b"\0" * 32), b"\xff\xff\xff\xff" + b"x" * 60_000,
    ]  # fmt: skip

    async def run(house: House) -> None:
        house.terms_are(auth_attempts=100)
        with contextlib.closing(await house.open().to_auth()) as wire:
            for blob in broken:
                assert (await wire.ask(ProbeKey, "ssh-ed25519", blob)).outcome == 2
                assert (await wire.ask(VerifyKey, "ssh-ed25519", blob[:30_000], b"x" * 30_000)).outcome == 2
            assert house.server.count("check_auth_publickey") == 0

    in_house(run)


@pytest.mark.parametrize("second", ["password", "publickey"])
def test_partial_success_needs_the_rest(second: str) -> None:
    def step(server: Any, *_: Any) -> int:
        return 1 if len(server.connection.progress.steps) < 1 else 0

    def methods(server: Any, user: str) -> str:
        return second if server.connection.progress.steps else "publickey,password"

    async def run(house: House) -> None:
        house.answers.update(check_auth_password=step, check_auth_publickey=step, get_allowed_auths=methods)
        key = ("ssh-ed25519", ALICE.public.blob, signed(ALICE))
        steps: list[tuple[Any, ...]] = [(VerifyKey, *key), (OfferPassword, b"right")]
        if second == "publickey":
            steps.reverse()
        with contextlib.closing(await house.open().to_auth()) as wire:
            first = await wire.ask(*steps[0])
            assert (first.outcome, first.methods) == (1, (second,))
            assert wire.logins == 0
            assert (await wire.ask(*steps[1])).outcome == 0
            assert wire.logins == 1
            assert house.memory.the("login.step")["method"] != second
            assert house.memory.the("login.accepted")["methods"].endswith(f"+{second}")

    in_house(run)


@pytest.mark.security("S67", "S119")
def test_a_user_name_that_is_no_utf8() -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth(b"al\xff\0\x1b[2Jice\n")) as wire:
            assert (await wire.ask(OfferPassword, b"right")).outcome == 2
            ((_, user, _),) = [asked for asked in house.server.asked if asked[0] == "check_auth_password"]
            assert user == "al\\xff\0\x1b[2Jice\n"
            user.encode()
        for line in house.memory.text.splitlines():
            assert line.isprintable()

    in_house(run)


@pytest.mark.security("S67")
def test_a_key_signs_for_the_bytes_of_the_name() -> None:
    """The signed data hold the name as it came, not as it is shown: the two forms are two names."""

    async def run(house: House) -> None:
        house.answers["check_auth_publickey"] = 0
        with contextlib.closing(await house.open().to_auth(b"\xff")) as wire:
            for user, outcome in ((b"\\xff", 2), (b"\xff", 0)):
                proof = signed(ALICE, user=codec.string(user))
                assert (await wire.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, proof)).outcome == outcome

    in_house(run)


@pytest.mark.security("S120")
@pytest.mark.parametrize("form", ["inline", "async", "thread"])
def test_no_password_comes_to_the_log_whatever_the_hook_does(form: str, caplog: pytest.LogCaptureFixture) -> None:
    def fails(server: Any, user: str, password: Any) -> int:
        raise RuntimeError(f"cannot check {password!r}")

    async def fails_later(server: Any, user: str, password: Any) -> int:
        await asyncio.sleep(0)
        raise ValueError(password)

    async def run(house: House) -> None:
        house.inline = form != "thread"
        house.answers["check_auth_password"] = fails_later if form == "async" else fails
        with contextlib.closing(await house.open().to_auth()) as wire:
            for secret in (SECRET.encode(), SECRET.encode() + b"\xff"):
                assert (await wire.ask(OfferPassword, secret)).outcome == 2
        details = [str(event.fields["detail"]) for event in house.memory.events if event.name == "hook.failed"]
        raised = "raised ValueError at " if form == "async" else "raised RuntimeError at "
        assert [detail.partition("/")[0] for detail in details] == [raised] * 2
        assert SECRET not in house.memory.text

    in_house(run)
    assert SECRET not in caplog.text


def test_a_password_is_text_where_it_is_utf8_and_else_bytes() -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            for secret in ("pä".encode(), b"p\xe4", b""):
                await wire.ask(OfferPassword, secret)
            assert [asked[2] for asked in house.server.asked if asked[0] == "check_auth_password"] == [
                "pä",
                b"p\xe4",
                "",
            ]

    in_house(run)


@pytest.mark.security("S70")
@pytest.mark.parametrize(
    ("call", "floor"),
    [
        ((OfferNone, "none"), 0.005),
        ((OfferNone, "odd"), 0.02),
        ((ProbeKey, "ssh-ed25519", EVE.public.blob), 0.02),
        ((ProbeKey, "ssh-ed25519", b"junk"), 0.02),
        ((VerifyKey, "ssh-ed25519", EVE.public.blob, b"junk"), 0.02),
        ((OfferPassword, b"wrong"), 0.1),
        ((BeginInteractive, b""), 0.1),
    ],
)
def test_a_refusal_takes_its_time(call: tuple[Any, ...], floor: float) -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            started = time.monotonic()
            assert (await wire.ask(*call)).outcome == 2
            assert time.monotonic() - started >= floor

    in_house(run)


@pytest.mark.security("S69")
def test_odd_methods_fail_without_a_hook() -> None:
    async def run(house: House) -> None:
        house.answers["check_auth_none"] = 0
        with contextlib.closing(await house.open().to_auth()) as wire:
            for method in ("", "None", "none\0", "hostbased", "gssapi-with-mic", "x" * 60_000):
                assert (await wire.ask(OfferNone, method)).outcome == 2
                if wire.connection._login is not None and wire.connection._login.failures == 5:
                    break
            assert house.server.count("check_auth_none") == 0

    in_house(run)


@pytest.mark.security("S51")
def test_interactive_rounds() -> None:
    async def run(house: House) -> None:
        house.answers["check_auth_interactive"] = InteractiveQuery("name", "do", ("Code: ", False), ("Again: ", True))
        house.answers["check_auth_interactive_response"] = lambda server, responses: 0 if responses == ["1", "2"] else 2
        with contextlib.closing(await house.open().to_auth()) as wire:
            asked = await wire.ask(BeginInteractive, b"")
            assert asked.prompts == (("Code: ", False), ("Again: ", True))
            assert (await wire.ask(AnswerInteractive, (b"1", b"3"))).outcome == 2
            assert isinstance(await wire.ask(BeginInteractive, b""), Ask)
            assert (await wire.ask(AnswerInteractive, (b"1", b"2"))).outcome == 0
            assert wire.logins == 1

    in_house(run)


@pytest.mark.security("S51", "S112")
@pytest.mark.parametrize("responses", [(), (b"1",), (b"1", b"2", b"3")])
def test_a_wrong_number_of_responses_is_a_violation(responses: tuple[bytes, ...]) -> None:
    async def run(house: House) -> None:
        house.answers["check_auth_interactive"] = InteractiveQuery("", "", ("a", False), ("b", True))
        with contextlib.closing(await house.open().to_auth()) as wire:
            await wire.ask(BeginInteractive, b"")
            wire.say(AnswerInteractive(9, responses))
            await wire.killed(f"{len(responses)} responses came, expected 2")
            assert house.server.count("check_auth_interactive_response") == 0

    in_house(run)


@pytest.mark.security("S112")
def test_a_challenge_is_answered_once() -> None:
    async def run(house: House) -> None:
        house.answers["check_auth_interactive"] = InteractiveQuery("", "", ("a", False))
        with contextlib.closing(await house.open().to_auth()) as wire:
            await wire.ask(BeginInteractive, b"")
            assert (await wire.ask(AnswerInteractive, (b"1",))).outcome == 2
            wire.say(AnswerInteractive(9, (b"1",)))
            await wire.killed("nothing was asked")

    in_house(run)


@pytest.mark.security("S51")
def test_another_method_ends_a_challenge() -> None:
    async def run(house: House) -> None:
        house.answers["check_auth_interactive"] = InteractiveQuery("", "", ("a", False))
        house.answers["check_auth_interactive_response"] = 0
        with contextlib.closing(await house.open().to_auth()) as wire:
            assert isinstance(await wire.ask(BeginInteractive, b""), Ask)
            await wire.ask(OfferNone, "none")
            wire.say(AnswerInteractive(9, (b"1",)))
            await wire.killed("nothing was asked")
            assert wire.logins == 0

    in_house(run)


@settings(max_examples=40)
@given(st.sampled_from([ProbeKey, VerifyKey]), st.binary(max_size=80), st.text(max_size=20))
@pytest.mark.security("S56")
def test_no_key_or_signature_breaks_the_monitor(kind: Any, blob: bytes, algorithm: str) -> None:
    async def run(house: House) -> None:
        with contextlib.closing(await house.open().to_auth()) as wire:
            more = (blob,) if kind is VerifyKey else ()
            for name in (algorithm, "ssh-ed25519"):
                assert (await wire.ask(kind, name, codec.string(b"ssh-ed25519") + blob, *more)).outcome == 2

    in_house(run)
