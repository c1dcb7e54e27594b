"""What a hook returns is judged by type and value."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.server import answers
from pysshd.server.constants import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
)
from pysshd.server.query import InteractiveQuery
from pysshd.ssh.events.channels import OpenCode
from pysshd.ssh.events.userauth import Outcome

ODD: list[Any] = [None, True, False, 3, 7, -1, 1.0, 0.0, "", "0", b"", (), [], {}, object(), ValueError("no"), 1 << 40]


class Number(int):
    """An int by another name, which may compare as it likes."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def fails(judged: answers.Judged[Any], refusal: Any) -> bool:
    return judged.value == refusal and judged.complaint is not None and "refused" in judged.complaint


@pytest.mark.security("S130")
@pytest.mark.parametrize("returned", [*ODD, Number(0), OpenCode.SUCCEEDED, InteractiveQuery()])
def test_only_the_three_codes_authenticate(returned: Any) -> None:
    assert fails(answers.auth_outcome("check_auth_password", returned), Outcome.FAILURE)


def test_the_three_codes_mean_what_they_say() -> None:
    judged = [answers.auth_outcome("h", code) for code in (AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL, AUTH_FAILED)]
    assert judged == [answers.Judged(Outcome.SUCCESS), answers.Judged(Outcome.PARTIAL), answers.Judged(Outcome.FAILURE)]
    assert answers.auth_outcome("h", Outcome.SUCCESS).value is Outcome.SUCCESS


@pytest.mark.security("S130")
@pytest.mark.parametrize("returned", [each for each in ODD if each is not True and each is not False])
def test_only_a_bool_answers_a_channel_request(returned: Any) -> None:
    assert fails(answers.request_ok("check_channel_exec_request", returned), False)


@pytest.mark.security("S130")
def test_a_channel_code_from_an_exec_hook_is_no_yes() -> None:
    judged = answers.request_ok("check_channel_exec_request", OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
    assert judged.value is False
    assert judged.complaint == "hook check_channel_exec_request returned int 1, expected True or False; refused"


@pytest.mark.parametrize("returned", [True, False])
def test_a_bool_is_taken_as_it_is(returned: bool) -> None:
    assert answers.request_ok("h", returned) == answers.Judged(returned)


@pytest.mark.security("S130")
@pytest.mark.parametrize("returned", [*[each for each in ODD if each != 3], 5, Number(0), Outcome.SUCCESS])
def test_only_the_codes_open_a_channel(returned: Any) -> None:
    assert fails(answers.open_code("check_channel_request", returned), OpenCode.ADMINISTRATIVELY_PROHIBITED)


@pytest.mark.parametrize("code", range(5))
def test_each_code_of_a_channel_open_is_itself(code: int) -> None:
    assert answers.open_code("h", code) == answers.Judged(OpenCode(code))


@pytest.mark.security("S130")
@pytest.mark.parametrize(
    ("asked", "returned", "port"),
    [
        (8080, 8080, 8080),
        (8080, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, None),
        (8080, 0, None),
        (8080, 8081, None),
        (8080, True, None),
        (1, True, None),
        (1, 1, 1),
        (0, 0, 0),
        (0, 1, None),
        (0, 1023, None),
        (0, 1024, 1024),
        (0, 65535, 65535),
        (0, 65536, None),
        (0, False, None),
        (0, None, None),
        (22, None, None),
        (22, "22", None),
        (22, 22.0, None),
        (22, Number(7), None),
    ],
)
def test_a_port_is_a_yes_only_where_it_fits_what_was_asked(asked: int, returned: Any, port: int | None) -> None:
    judged = answers.forward_port("check_port_forward_request", asked, returned)
    assert judged.value == port
    assert type(judged.value) is type(port)
    assert (judged.complaint is None) == (port is not None or returned is False)


@given(st.integers(0, 65535), st.integers())
def test_a_port_that_was_not_asked_for_is_never_opened(asked: int, returned: int) -> None:
    port = answers.forward_port("h", asked, returned).value
    assert port is None or port == asked or (asked == 0 and 1024 <= port <= 65535)


@pytest.mark.parametrize(
    ("returned", "ok", "data"),
    [
        (True, True, b""),
        (False, False, b""),
        ((), True, b""),
        (("ab", 7, True, False), True, b"\0\0\0\x02ab\0\0\0\x07\x01\x00"),
    ],
)
def test_a_global_request_is_answered_with_its_values(returned: Any, ok: bool, data: bytes) -> None:
    assert answers.global_answer("h", returned) == answers.Judged((ok, data))


@pytest.mark.security("S130")
@pytest.mark.parametrize(
    "returned", [None, 0, 1, "yes", [1], (b"x",), (None,), (-1,), (1 << 33,), (1.5,), ("\ud800",), ("x" * 5000,)]
)
def test_any_other_global_answer_is_a_no(returned: Any) -> None:
    assert fails(answers.global_answer("check_global_request", returned), (False, b""))


def test_a_query_is_handed_on_where_it_is_sound() -> None:
    query = InteractiveQuery("n", "i", "p", ("q", False))
    assert answers.interactive("h", query).value is query
    assert answers.interactive("h", AUTH_SUCCESSFUL).value is Outcome.SUCCESS


def _odd_query(change: Callable[[Any], None]) -> InteractiveQuery:
    query = InteractiveQuery("n", "i", "p")
    change(query)
    return query


@pytest.mark.security("S130")
@pytest.mark.parametrize(
    "returned",
    [
        False,
        None,
        "Password: ",
        _odd_query(lambda q: setattr(q, "name", None)),
        _odd_query(lambda q: setattr(q, "instructions", b"i")),
        _odd_query(lambda q: setattr(q, "instructions", "x" * 5000)),
        _odd_query(lambda q: setattr(q, "prompts", None)),
        _odd_query(lambda q: setattr(q, "prompts", ["p"])),
        _odd_query(lambda q: setattr(q, "prompts", [("p", 1)])),
        _odd_query(lambda q: setattr(q, "prompts", [("\ud800", True)])),
        _odd_query(lambda q: setattr(q, "prompts", [("p", True)] * 17)),
    ],
)
def test_an_odd_query_is_a_failure(returned: Any) -> None:
    assert fails(answers.interactive("check_auth_interactive", returned), Outcome.FAILURE)


@pytest.mark.parametrize(
    ("returned", "names"),
    [
        ("password", ("password",)),
        ("publickey,password,publickey", ("publickey", "password")),
        ("", ()),
        (None, ()),
        (["password"], ()),
        (b"password", ()),
        ("pass\nword", ()),
        ("x" * 65, ()),
    ],
)
def test_methods_are_a_str_of_names(returned: Any, names: tuple[str, ...]) -> None:
    judged = answers.allowed_auths("get_allowed_auths", returned)
    assert judged.value == names
    assert (judged.complaint is None) == (type(returned) is str and bool(names or not returned))


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ((None, None), ("", "")),
        (("Hello\n", "en"), ("Hello\n", "en")),
        (("Hello", None), ("Hello", "")),
        ("Hello", ("", "")),
        (None, ("", "")),
        ((b"Hello", "en"), ("", "")),
        (("x" * 8192, "en"), ("x" * 8192, "en")),
        (("x" * 8193, "en"), ("", "")),
        (("Hello", "e\u0301"), ("", "")),
    ],
)
def test_a_banner_is_two_texts(returned: Any, expected: tuple[str, str]) -> None:
    assert answers.banner("get_banner", returned).value == expected


def test_a_complaint_never_shows_what_a_hook_returned() -> None:
    complaint = answers.auth_outcome("check_auth_password", "the secret").complaint
    assert complaint is not None
    assert "secret" not in complaint
    assert "str" in complaint
