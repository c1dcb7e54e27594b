"""Whole conversations: payloads in, exact events and payloads out (RFC 4252, RFC 4256)."""

import pytest

from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.userauth import (
    AuthBegun,
    AuthOffer,
    Challenge,
    InteractiveAnswered,
    InteractiveBegun,
    KeyProbed,
    KeySigned,
    NoneOffered,
    PasswordOffered,
)
from pysshd.ssh.wire.messages.userauth import (
    UserauthBanner,
    UserauthFailure,
    UserauthInfoRequest,
    UserauthPkOk,
    UserauthSuccess,
)
from tests.ssh.userauth.driver import (
    FAILED,
    FAILURE,
    INTERACTIVE,
    METHODS,
    NEXT,
    NONE,
    PARTIAL,
    PASSWORD,
    PROBE,
    SIGNED,
    SUCCESS,
    Driver,
    responses,
    started,
)


def test_first_request_is_asked_only_after_the_offer_and_the_banner() -> None:
    driver = Driver()
    assert driver.receive(PASSWORD) == ([AuthBegun(Ticket(1), b"alice", "ssh-connection")], [])
    assert driver.machine.pending
    events, sent = driver.answer(Ticket(1), AuthOffer(METHODS, "Keep out.\n"))
    assert events == [PasswordOffered(Ticket(2), b"secret")]
    assert sent == [UserauthBanner("Keep out.\n").encode()]
    assert driver.machine.pending
    assert driver.answer(Ticket(2), SUCCESS) == ([], [UserauthSuccess().encode()])
    assert driver.machine.authenticated
    assert not driver.machine.pending


def test_banner_is_sent_once_and_not_at_all_when_empty() -> None:
    driver = Driver()
    assert driver.begin(NONE, AuthOffer(METHODS, "")) == ([NoneOffered(Ticket(2), "none")], [])
    assert driver.answer(Ticket(2), FAILURE) == ([], [FAILED])
    assert driver.receive(PASSWORD) == ([PasswordOffered(Ticket(3), b"secret")], [])


def test_openssh_client_with_a_key() -> None:
    """none, probe, signature: what `ssh` sends."""
    driver = started()
    assert driver.receive(PROBE) == ([KeyProbed(Ticket(3), "ssh-ed25519", b"blob")], [])
    assert driver.answer(Ticket(3), SUCCESS) == ([], [UserauthPkOk("ssh-ed25519", b"blob").encode()])
    assert not driver.machine.authenticated
    assert driver.receive(SIGNED) == ([KeySigned(Ticket(4), "ssh-ed25519", b"blob", b"signature")], [])
    assert driver.answer(Ticket(4), SUCCESS) == ([], [UserauthSuccess().encode()])
    assert driver.machine.authenticated


def test_two_factors() -> None:
    driver = started()
    key = driver.asked(SIGNED, KeySigned)
    assert driver.answer(key.ticket, PARTIAL) == ([], [UserauthFailure(NEXT, partial_success=True).encode()])
    assert not driver.machine.authenticated
    begun = driver.asked(INTERACTIVE, InteractiveBegun)
    assert begun.submethods == b"totp"
    challenge = Challenge("Second step", "Look at your phone.", (("Code: ", False),))
    assert driver.answer(begun.ticket, challenge) == (
        [],
        [UserauthInfoRequest("Second step", "Look at your phone.", b"", (("Code: ", False),)).encode()],
    )
    answered = driver.asked(responses(b"123456"), InteractiveAnswered)
    assert answered.responses == (b"123456",)
    assert driver.answer(answered.ticket, SUCCESS) == ([], [UserauthSuccess().encode()])


def test_several_rounds_and_one_without_prompts() -> None:
    driver = started()
    begun = driver.asked(INTERACTIVE, InteractiveBegun)
    driver.answer(begun.ticket, Challenge("", "", (("User: ", True), ("Word: ", False))))
    first = driver.asked(responses(b"a", b"b"), InteractiveAnswered)
    driver.answer(first.ticket, Challenge("", "Your password ends soon.", ()))
    second = driver.asked(responses(), InteractiveAnswered)
    assert second.responses == ()
    assert driver.answer(second.ticket, FAILURE) == ([], [FAILED])


def test_failure_lists_follow_the_latest_verdict() -> None:
    driver = started()
    key = driver.asked(SIGNED, KeySigned)
    driver.answer(key.ticket, PARTIAL)
    assert driver.receive(PASSWORD[:-1] + b"\0")[1] == [UserauthFailure(NEXT).encode()]


def test_ticket_that_is_stale_or_unknown_is_dropped() -> None:
    driver = started()
    key = driver.asked(SIGNED, KeySigned)
    for ticket in (0, 1, 2, key.ticket + 1):
        assert driver.answer(Ticket(ticket), SUCCESS) == ([], [])
    assert driver.machine.pending
    assert driver.answer(key.ticket, FAILURE) == ([], [FAILED])
    assert driver.answer(key.ticket, SUCCESS) == ([], [])
    assert not driver.machine.authenticated


def test_feeding_while_an_answer_is_owed_is_our_defect() -> None:
    driver = started()
    driver.asked(SIGNED, KeySigned)
    with pytest.raises(RuntimeError, match="answer is owed"):
        driver.machine.receive(memoryview(PASSWORD))


def test_payload_is_copied() -> None:
    driver = started()
    buffer = bytearray(SIGNED)
    (event,) = driver.machine.receive(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    assert event == KeySigned(Ticket(3), "ssh-ed25519", b"blob", b"signature")


def test_secrets_stay_out_of_reprs() -> None:
    driver = started()
    assert "secret" not in repr(driver.asked(PASSWORD, PasswordOffered))
    assert "secret" not in repr(driver.machine._owed)
