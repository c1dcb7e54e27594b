"""What a peer is told of a refusal, besides that it is one."""

from typing import Any

import pytest

from pysshd.errors import DisconnectReason
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.events.userauth import AuthVerdict, KeyProbed, KeySigned, Outcome, PasswordOffered
from pysshd.ssh.userauth.settings import UserauthSettings
from pysshd.ssh.wire.messages.userauth import UserauthBanner
from tests.ssh.userauth.driver import FAILED, METHODS, PASSWORD, PROBE, SIGNED, started

NOTE = "login refused (id k5rh75w4e7)"
TOLD = AuthVerdict(Outcome.FAILURE, METHODS, NOTE)
BANNER = UserauthBanner(NOTE + "\r\n", b"").encode()


@pytest.mark.parametrize(("payload", "kind"), [(PASSWORD, PasswordOffered), (SIGNED, KeySigned)])
def test_a_note_comes_before_the_failure(payload: bytes, kind: Any) -> None:
    driver = started()
    assert driver.answer(driver.asked(payload, kind).ticket, TOLD) == ([], [BANNER, FAILED])


def test_a_key_that_is_only_asked_about_is_refused_without_a_word() -> None:
    driver = started()
    assert driver.answer(driver.asked(PROBE, KeyProbed).ticket, TOLD) == ([], [FAILED])


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.PARTIAL])
def test_a_note_is_of_failures_alone(outcome: Outcome) -> None:
    driver = started()
    _, sent = driver.answer(driver.asked(PASSWORD, PasswordOffered).ticket, AuthVerdict(outcome, METHODS, NOTE))
    assert len(sent) == 1
    assert NOTE.encode() not in sent[0]


@pytest.mark.parametrize("payload", [PASSWORD, PROBE])
def test_the_last_failure_takes_its_note_along(payload: bytes) -> None:
    driver = started(UserauthSettings(max_failures=1))
    kind: Any = PasswordOffered if payload == PASSWORD else KeyProbed
    events, sent = driver.answer(driver.asked(payload, kind).ticket, TOLD)
    assert sent == []
    (failed,) = events
    assert isinstance(failed, ConnectionFailed)
    assert failed.reason is DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE
    assert failed.note == NOTE
    assert NOTE not in failed.detail
