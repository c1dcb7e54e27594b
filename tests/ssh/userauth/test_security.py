"""Rows of the table of security properties, as far as this machine is what makes them hold."""

import pytest

from pysshd.errors import DecodeError, DisconnectReason, ProtocolError
from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.kinds import Verdict
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.events.userauth import (
    AuthOffer,
    AuthVerdict,
    Challenge,
    InteractiveAnswered,
    InteractiveBegun,
    KeyProbed,
    KeySigned,
    NoneOffered,
    Outcome,
    PasswordOffered,
)
from pysshd.ssh.userauth.settings import UserauthSettings
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.userauth import (
    HOSTBOUND,
    PROMPTS_MAX,
    HostboundBody,
    KeyboardInteractiveBody,
    PasswordBody,
    PublickeyBody,
    UserauthInfoRequest,
    UserauthPkOk,
)
from tests.ssh.userauth.driver import (
    BOUND,
    BOUND_PROBE,
    FAILED,
    FAILURE,
    INTERACTIVE,
    METHODS,
    NONE,
    PARTIAL,
    PASSWORD,
    PROBE,
    SIGNED,
    SUCCESS,
    Driver,
    request,
    responses,
    started,
)

BODIES = {
    "none": NONE,
    "password": PASSWORD,
    "probe": PROBE,
    "signed": SIGNED,
    "bound probe": BOUND_PROBE,
    "bound": BOUND,
    "interactive": INTERACTIVE,
}
CHALLENGE = Challenge("", "", (("Code: ", False),))


def refused(driver: Driver, payload: bytes, reason: DisconnectReason) -> None:
    with pytest.raises(ProtocolError) as caught:
        driver.receive(payload)
    assert caught.value.reason is reason


def challenged(settings: UserauthSettings | None = None) -> Driver:
    """A driver whose client owes one response."""
    driver = started(settings)
    begun = driver.asked(INTERACTIVE, InteractiveBegun)
    driver.answer(begun.ticket, CHALLENGE)
    return driver


def test_a_host_bound_key_is_asked_about_with_the_host_key() -> None:
    driver = started()
    probed = driver.asked(BOUND_PROBE, KeyProbed)
    assert (probed.blob, probed.host_key) == (b"blob", b"host key")
    assert driver.answer(probed.ticket, SUCCESS)[1] == [UserauthPkOk("ssh-ed25519", b"blob").encode()]
    signed = driver.asked(BOUND, KeySigned)
    assert (signed.blob, signed.host_key, signed.signature) == (b"blob", b"host key", b"signature")
    driver.answer(signed.ticket, FAILURE)
    assert driver.asked(SIGNED, KeySigned).host_key == b""


@pytest.mark.security("S54")
@pytest.mark.parametrize("host_key", [b"", bytes(17_000)])
@pytest.mark.parametrize("signature", [None, b"signature"])
def test_a_host_bound_request_without_a_host_key_is_none(host_key: bytes, signature: bytes | None) -> None:
    body = HostboundBody(signature is not None, "ssh-ed25519", b"blob", host_key, signature).encode()
    assert started().receive(request(HOSTBOUND, body)) == ([], [FAILED])


@pytest.mark.security("S19")
@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("first", [True, False])
def test_trailing_bytes_fail_and_count(name: str, first: bool) -> None:
    limit = UserauthSettings(max_failures=3)
    driver = Driver(limit) if first else started(limit)
    payload = BODIES[name] + b"\0"
    assert (driver.begin if first else driver.receive)(payload) == ([], [FAILED])
    assert driver.receive(payload) == ([], [FAILED])
    refused(driver, payload, DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)


@pytest.mark.security("S19")
def test_trailing_bytes_after_responses_fail() -> None:
    driver = challenged()
    assert driver.receive(responses(b"123") + b"\0") == ([], [FAILED])
    refused(driver, responses(b"123"), DisconnectReason.PROTOCOL_ERROR)


@pytest.mark.security("S48")
@pytest.mark.parametrize("service", ["ssh-userauth", "", "ssh-connection\0", "SSH-CONNECTION"])
def test_other_service_is_not_available(service: str) -> None:
    refused(Driver(), request("none", service=service), DisconnectReason.SERVICE_NOT_AVAILABLE)


@pytest.mark.security("S49")
def test_after_success_requests_are_ignored_and_responses_are_not_allowed() -> None:
    driver = started()
    driver.answer(driver.asked(SIGNED, KeySigned).ticket, SUCCESS)
    for payload in [*BODIES.values(), request("none", user=b"bob"), request("none", service="x"), b"\x32"] * 100:
        assert driver.receive(payload) == ([], [])
    assert driver.machine.authenticated
    refused(driver, responses(b"x"), DisconnectReason.PROTOCOL_ERROR)


@pytest.mark.security("S50")
@pytest.mark.parametrize("payload", [request("none", user=b"bob"), request("none", service="ssh-userauth")])
def test_user_and_service_are_frozen_by_the_first_request(payload: bytes) -> None:
    refused(started(), payload, DisconnectReason.PROTOCOL_ERROR)
    refused(challenged(), payload, DisconnectReason.PROTOCOL_ERROR)
    partial = started()
    partial.answer(partial.asked(SIGNED, KeySigned).ticket, PARTIAL)
    refused(partial, payload, DisconnectReason.PROTOCOL_ERROR)


@pytest.mark.security("S51")
@pytest.mark.parametrize(
    "payload",
    [
        responses(),
        responses(b"1", b"2"),
        b"\x3d" + codec.uint32(0xFFFFFFFF),
        b"\x3d" + codec.uint32(0xFFFFFFFF) + codec.string(b"1"),
        b"\x3d",
        responses(b"1" * 1025),
    ],
)
def test_wrong_responses_fail_and_use_up_the_challenge(payload: bytes) -> None:
    driver = challenged()
    assert driver.receive(payload) == ([], [FAILED])
    refused(driver, responses(b"1"), DisconnectReason.PROTOCOL_ERROR)


@pytest.mark.security("S51")
def test_responses_without_a_challenge_end_the_connection() -> None:
    refused(Driver(), responses(b"1"), DisconnectReason.PROTOCOL_ERROR)
    refused(started(), responses(b"1"), DisconnectReason.PROTOCOL_ERROR)


@pytest.mark.security("S51")
def test_new_request_cancels_the_challenge_and_counts() -> None:
    driver = challenged(UserauthSettings(max_failures=2))
    begun = driver.asked(INTERACTIVE, InteractiveBegun)
    refused_again = driver.answer(begun.ticket, CHALLENGE)
    assert refused_again[0] == []
    refused(driver, PASSWORD, DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)
    driver = challenged()
    driver.answer(driver.asked(PASSWORD, PasswordOffered).ticket, FAILURE)
    refused(driver, responses(b"1"), DisconnectReason.PROTOCOL_ERROR)


@pytest.mark.security("S51")
def test_every_round_counts() -> None:
    driver = challenged(UserauthSettings(max_requests=10))  # none, the request, and then
    for _ in range(8):
        answered = driver.asked(responses(b"1"), InteractiveAnswered)
        driver.answer(answered.ticket, CHALLENGE)
    refused(driver, responses(b"1"), DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)


@pytest.mark.security("S51")
def test_one_challenge_is_one_answer_however_many_devices_are_named() -> None:
    driver = started()
    devices = b",".join([b"pam"] * 50)
    begun = driver.asked(
        request("keyboard-interactive", KeyboardInteractiveBody(b"", devices).encode()), InteractiveBegun
    )
    assert begun.submethods == devices
    assert len(driver.answer(begun.ticket, CHALLENGE)[1]) == 1
    too_many = KeyboardInteractiveBody(b"", b",".join([b"pam"] * 1000)).encode()
    assert driver.receive(request("keyboard-interactive", too_many)) == ([], [FAILED])


@pytest.mark.security("S52")
def test_sixth_failure_ends_the_connection() -> None:
    driver = started()
    for _ in range(5):
        assert driver.answer(driver.asked(PASSWORD, PasswordOffered).ticket, FAILURE) == ([], [FAILED])
    events, sent = driver.answer(driver.asked(PASSWORD, PasswordOffered).ticket, FAILURE)
    (failed,) = events
    assert isinstance(failed, ConnectionFailed)
    assert failed.reason is DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE
    assert sent == []


@pytest.mark.security("S52")
def test_failed_probes_count_to_both_limits() -> None:
    driver = started()
    for _ in range(5):
        driver.answer(driver.asked(PROBE, KeyProbed).ticket, FAILURE)
    (failed,), _ = driver.answer(driver.asked(PROBE, KeyProbed).ticket, FAILURE)
    assert isinstance(failed, ConnectionFailed)


@pytest.mark.security("S52")
@pytest.mark.parametrize("verdict", [SUCCESS, PARTIAL])
def test_accepted_probes_count_to_the_requests_alone(verdict: AuthVerdict) -> None:
    driver = started()
    for _ in range(127):
        driver.answer(driver.asked(PROBE, KeyProbed).ticket, verdict)
    refused(driver, PROBE, DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)


@pytest.mark.security("S52")
def test_partial_successes_count_to_the_requests_alone() -> None:
    driver = started()
    for _ in range(127):
        driver.answer(driver.asked(SIGNED, KeySigned).ticket, PARTIAL)
    refused(driver, SIGNED, DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)


@pytest.mark.parametrize("verdict", [AuthVerdict(Outcome.SUCCESS, ()), AuthVerdict(Outcome.PARTIAL, ("none",))])
def test_accepted_probe_changes_no_list(verdict: AuthVerdict) -> None:
    driver = started()
    driver.answer(driver.asked(PROBE, KeyProbed).ticket, verdict)
    assert driver.receive(request("password", b"malformed")) == ([], [FAILED])


@pytest.mark.security("S53")
def test_probe_never_authenticates_and_is_not_remembered() -> None:
    driver = started()
    for _ in range(2):
        driver.answer(driver.asked(PROBE, KeyProbed).ticket, SUCCESS)
        assert not driver.machine.authenticated
    other = request("publickey", PublickeyBody(True, "ssh-ed25519", b"other", b"signature").encode())
    assert driver.asked(other, KeySigned).blob == b"other"


@pytest.mark.security("S56")
@pytest.mark.parametrize(
    "body",
    [
        PublickeyBody(False, "ssh-dss", b"blob").encode(),
        PublickeyBody(False, "ssh-rsa", b"blob").encode(),
        PublickeyBody(False, "sk-ssh-ed25519@openssh.com", b"blob").encode(),
        PublickeyBody(False, "ssh-ed25519", b"b" * 16385).encode(),
        PublickeyBody(True, "ssh-ed25519", b"blob", b"s" * 8193).encode(),
        b"",
        b"\x01",
        b"\x00" + codec.string(b"\xff") + codec.string(b"blob"),
        b"\x00" + codec.uint32(0xFFFFFFFF),
    ],
)
def test_key_that_can_not_be_read_fails_and_the_next_has_its_turn(body: bytes) -> None:
    driver = started()
    assert driver.receive(request("publickey", body)) == ([], [FAILED])
    driver.asked(SIGNED, KeySigned)


@pytest.mark.security("S68")
@pytest.mark.parametrize(
    "body",
    [
        PasswordBody(False, b"x" * 1025).encode(),
        PasswordBody(False, b"x" * 200_000).encode(),
        PasswordBody(False, b"secret\0").encode(),
        PasswordBody(True, b"secret", b"new").encode(),
        PasswordBody(True, b"", b"").encode(),
    ],
)
def test_impossible_passwords_and_changes_fail_without_being_asked(body: bytes) -> None:
    driver = started(UserauthSettings(max_failures=2))
    assert driver.receive(request("password", body)) == ([], [FAILED])
    refused(driver, request("password", body), DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE)


def test_longest_password_and_the_empty_one_are_asked_about() -> None:
    for password in (b"x" * 1024, b""):
        offered = started().asked(request("password", PasswordBody(False, password).encode()), PasswordOffered)
        assert offered.password == password


@pytest.mark.security("S69")
@pytest.mark.parametrize(
    ("method", "shown"),
    [
        ("", ""),
        ("none\0", "none?"),
        ("NONE", "NONE"),
        ("a,b c\n", "a?b?c?"),
        ("x" * 65536, "x" * 64),
        ("none" + " " * 100, "none" + "?" * 60),
        ("pässword", "p?ssword"),
    ],
)
def test_odd_methods_are_hopeless(method: str, shown: str) -> None:
    driver = started(UserauthSettings(max_failures=1))
    offered = driver.asked(request(method), NoneOffered)
    assert offered.method == shown
    for verdict in (SUCCESS, PARTIAL):
        with pytest.raises(ValueError, match="does not exist"):
            driver.answer(offered.ticket, verdict)
    assert not driver.machine.authenticated
    (failed,), _ = driver.answer(offered.ticket, FAILURE)
    assert isinstance(failed, ConnectionFailed)


@pytest.mark.security("S69")
def test_only_the_first_none_is_no_attempt() -> None:
    driver = Driver(UserauthSettings(max_failures=1))
    (event,), _ = driver.begin(NONE)
    assert isinstance(event, NoneOffered)
    assert driver.answer(event.ticket, FAILURE) == ([], [FAILED])
    (failed,), _ = driver.answer(driver.asked(NONE, NoneOffered).ticket, FAILURE)
    assert isinstance(failed, ConnectionFailed)


@pytest.mark.security("S69")
@pytest.mark.parametrize("payload", [request("none", body=b"x"), request("hostbased"), PASSWORD])
def test_what_is_no_plain_none_counts_from_the_first_on(payload: bytes) -> None:
    driver = Driver(UserauthSettings(max_failures=1))
    (event,), _ = driver.begin(payload)
    if not isinstance(event, ConnectionFailed):
        (event,), _ = driver.answer(event.ticket, FAILURE)  # type: ignore[union-attr]
    assert isinstance(event, ConnectionFailed)


@pytest.mark.security("S70")
@pytest.mark.parametrize("body", [b"", b"\x00", b"\x01" + codec.string(b"x"), codec.uint32(0xFFFFFFFF)])
def test_malformed_bodies_are_not_asked_about(body: bytes) -> None:
    for method in ("password", "publickey", "keyboard-interactive"):
        assert started().receive(request(method, body)) == ([], [FAILED])


@pytest.mark.security("S71")
def test_transcript_does_not_depend_on_the_user() -> None:
    transcripts = set()
    for user in (b"alice", b"mallory", b"", b"\xff\0\n", b"-oX", b"u" * 255):
        driver = Driver()
        sent: list[bytes] = []
        events, payloads = driver.begin(request("none", user=user), AuthOffer(METHODS, "Hello.\n"))
        sent += payloads
        for payload in (request("password", PasswordBody(False, b"x").encode(), user), None, None):
            for event in events:
                events, payloads = driver.answer(event.ticket, FAILURE)  # type: ignore[union-attr]
                sent += payloads
            if payload is not None:
                events, payloads = driver.receive(payload)
                sent += payloads
        transcripts.add(tuple(sent))
    assert len(transcripts) == 1


def test_name_too_long_to_be_one_ends_the_connection() -> None:
    refused(Driver(), request("none", user=b"u" * 256), DisconnectReason.ILLEGAL_USER_NAME)


@pytest.mark.security("S72")
@pytest.mark.parametrize("method", ["gssapi-with-mic", "gssapi-keyex", "gssapi", "hostbased"])
def test_gssapi_and_hostbased_are_not_read(method: str) -> None:
    driver = started()
    offered = driver.asked(request(method, codec.uint32(0xFFFFFFFF) + b"x" * 1000), NoneOffered)
    assert offered.method == method
    assert driver.answer(offered.ticket, FAILURE) == ([], [FAILED])


@pytest.mark.parametrize("number", [n for n in range(50, 80) if n not in (50, 61)])
def test_messages_of_a_server_are_refused(number: int) -> None:
    for driver in (Driver(), started(), challenged()):
        refused(driver, bytes([number]), DisconnectReason.PROTOCOL_ERROR)


# --- verdicts that do not fit: by state of the machine ----------------------------------------------------------------

VERDICTS: dict[str, Verdict] = {"offer": AuthOffer(METHODS, ""), "judge": FAILURE, "challenge": CHALLENGE}
FITTING = {
    "begun": {"offer"},
    "none": {"judge"},
    "odd": {"judge"},
    "password": {"judge"},
    "probe": {"judge"},
    "signed": {"judge"},
    "interactive": {"judge", "challenge"},
    "answered": {"judge", "challenge"},
}


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("state", FITTING)
def test_verdicts_by_state(state: str, verdict: str) -> None:
    if state == "begun":
        driver = Driver()
        events, _ = driver.receive(PASSWORD)
    elif state == "answered":
        driver = challenged()
        events, _ = driver.receive(responses(b"1"))
    else:
        driver = started()
        events, _ = driver.receive({**BODIES, "odd": request("odd")}[state])
    (event,) = events
    ticket: Ticket = event.ticket  # type: ignore[union-attr]
    if verdict in FITTING[state]:
        driver.answer(ticket, VERDICTS[verdict])
        return
    with pytest.raises(TypeError):
        driver.answer(ticket, VERDICTS[verdict])
    assert driver.machine.pending
    assert driver.machine.take_payloads() == []


@pytest.mark.parametrize("outcome", [False, True, 0, 1, 2, None])
def test_outcome_that_only_equals_one_is_refused(outcome: object) -> None:
    driver = started()
    signed = driver.asked(SIGNED, KeySigned)
    with pytest.raises(TypeError):
        driver.answer(signed.ticket, AuthVerdict(outcome, ()))  # type: ignore[arg-type]
    assert not driver.machine.authenticated
    assert driver.answer(signed.ticket, AuthVerdict(Outcome.FAILURE, METHODS)) == ([], [FAILED])


def test_challenge_has_a_limit() -> None:
    driver = started()
    begun = driver.asked(INTERACTIVE, InteractiveBegun)
    with pytest.raises(ValueError, match="prompts"):
        driver.answer(begun.ticket, Challenge("", "", (("?", True),) * (PROMPTS_MAX + 1)))
    prompts = (("?", True),) * PROMPTS_MAX
    assert driver.answer(begun.ticket, Challenge("", "", prompts))[1] == [
        UserauthInfoRequest("", "", b"", prompts).encode()
    ]
    assert len(driver.asked(responses(*[b"!"] * PROMPTS_MAX), InteractiveAnswered).responses) == PROMPTS_MAX


def test_empty_message_is_malformed() -> None:
    with pytest.raises(DecodeError):
        Driver().receive(b"")
