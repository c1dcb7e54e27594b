"""Which server decides: what can be named, what can not, and how it is made."""

import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pysshd.daemon.interface import imported, maker_of
from pysshd.errors import StartupError
from pysshd.policy.load import load_text
from pysshd.server.connection import Connection
from pysshd.server.policy_server import PolicyServer
from pysshd.server.rules import Rules
from tests.live.servers import hook_servers
from tests.live.servers.hook_servers import ByPolicy, Demanding, NoServer, Says, Wrong

MODULE = hook_servers.__name__
POLICY = "version: 1\nserver:\n  listen: 127.0.0.1:22\n"
HERE: Any = object()
CONNECTION = cast(Connection, HERE)


@pytest.fixture(autouse=True)
def no_leftovers() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("tests.live.servers"):
            del sys.modules[name]


def made(given: Any = None, policy: str = POLICY) -> Any:
    rules = Rules(load_text(policy).ruleset, HERE)
    return maker_of(given, lambda: rules)


def test_without_a_name_the_policy_decides() -> None:
    maker = made()
    assert (maker.inline, maker.warning) == (True, None)
    assert type(maker.make(CONNECTION, HERE)) is PolicyServer


@pytest.mark.parametrize("kind", [Says, Wrong, ByPolicy, lambda: Says(), lambda connection: Wrong(connection)])
def test_classes_and_functions(kind: Any) -> None:
    maker = made(kind)
    assert not maker.inline
    server = maker.make(CONNECTION, HERE)
    assert isinstance(server, kind if isinstance(kind, type) else (Says, Wrong))
    if isinstance(server, Wrong):
        assert server.connection is CONNECTION


def test_a_named_class() -> None:
    maker = made(policy=f"{POLICY}  interface: {MODULE}:Says\n")
    assert type(maker.make(CONNECTION, HERE)) is imported(f"{MODULE}:Says")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("no.such:Thing", "module no.such can not be imported: ModuleNotFoundError: No module named 'no'"),
        (f"{MODULE}:Nothing", f"module {MODULE} has no Nothing"),
        (f"{MODULE}:Says.more", f"module {MODULE} has no Says.more"),
        (f"{MODULE}:NOT_A_CLASS", "is int, expected a subclass of ServerInterface"),
        (f"{MODULE}:NoServer", "is no subclass of ServerInterface"),
        (f"{MODULE}:Demanding", "can be called neither with a Connection nor without arguments"),
        ("antigravity_of_tests:X", "can not be imported"),
    ],
)
def test_what_can_not_be_served_is_said_with_its_place(name: str, fault: str) -> None:
    with pytest.raises(StartupError) as caught:
        made(policy=f'{POLICY}  interface: "{name}"\n')
    assert str(caught.value).startswith("policy.yaml:4:14: interface: ")
    assert fault in str(caught.value)


def test_a_module_that_wants_to_leave_is_no_end_without_words(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaves_at_once.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StartupError, match="can not be imported: SystemExit: 3"):
        made(policy=f"{POLICY}  interface: leaves_at_once:X\n")


def test_two_are_one_too_many() -> None:
    with pytest.raises(StartupError, match=r"policy\.yaml:4:14: interface: a:B is named, and the program"):
        made(Says, f"{POLICY}  interface: a:B\n")


@pytest.mark.parametrize("kind", [NoServer, Demanding, 7])
def test_what_a_program_gives_is_looked_at_too(kind: Any) -> None:
    with pytest.raises(StartupError, match="interface"):
        made(kind)


def test_people_whom_nobody_asks_about_are_warned_of() -> None:
    policy = f"{POLICY}users: {{alice: {{accounts: alice}}}}\n"
    assert "no PolicyServer" in made(Says, policy).warning
    assert made(ByPolicy, policy).warning is None
    assert made(policy=policy).warning is None
