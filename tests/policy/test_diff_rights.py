"""Permissions beside each other: what one permits of another, and what a deny takes of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from pysshd.patterns.globs import parse_glob
from pysshd.patterns.words import WordsPattern, split_words
from pysshd.policy.decide import decide
from pysshd.policy.diff_rights import (
    Atom,
    atoms,
    commands,
    meets,
    odd_slots,
    signals_named,
    title,
    touched_by,
    variables,
    within,
)
from pysshd.policy.load import load_text
from pysshd.policy.query import Exec, Query, Subsystem
from pysshd.policy.rights import ExecRight
from pysshd.policy.ruleset import Grant, Ruleset
from tests.policy.support import PEOPLE, facts, load

SHOWN = {
    "shell": "shell: true",
    "menu": "shell: [menu]",
    "ls": "exec: ls",
    "ls *": 'exec: "ls *"',
    "ls a*": 'exec: "ls a*"',
    "any": "exec: any",
    "literal": "exec: {literal: ls a}",
    "odd literal": "exec: {literal: 'a; b'}",
    "forced": "forced: [serve]",
    "forced key": 'forced: [serve, "{key}"]',
    "sftp": "subsystems: {sftp: [x]}",
    "sftp y": "subsystems: {sftp: [y]}",
    "mail": "subsystems: {mail: [x]}",
    "pty": "pty: true",
    "LC": "env: {accept: 'LC_*'}",
    "LC_ALL": "env: {accept: LC_ALL}",
    "LANG": "env: {accept: LANG}",
    "INT": "signals: INT",
    "HUP": "signals: HUP",
    "set": "env: {set: {A: b}}",
}


def grant_of(ruleset: Ruleset) -> Grant:
    (grant,) = ruleset.grants
    return grant


ATOMS: dict[str, Atom] = {
    name: next(atoms(grant_of(load(f"server: {{owner: alice}}\ngrants: [{{who: alice, allow: {{{text}}}}}]\n"))))
    for name, text in SHOWN.items()
}


@pytest.mark.parametrize("name", SHOWN)
def test_everything_is_within_itself_and_is_touched_by_itself(name: str) -> None:
    atom = ATOMS[name]
    assert within(atom, atom)
    assert touched_by(atom, atom)
    assert meets(atom, atom)


WITHIN = {
    ("ls", "any"), ("ls *", "any"), ("ls a*", "any"), ("literal", "any"), ("odd literal", "any"), ("ls a*", "ls *"),
    ("LC_ALL", "LC"),
}  # fmt: skip


def those(told: Callable[[Atom, Atom], bool]) -> set[tuple[str, str]]:
    """The pairs of which it is told; of the others it is told that it is not so."""
    found = {(a, b): told(ATOMS[a], ATOMS[b]) for a in SHOWN for b in SHOWN if a != b}
    assert {type(answer) for answer in found.values()} == {bool}
    return {pair for pair, answer in found.items() if answer}


def test_what_is_within_what() -> None:
    assert those(within) == WITHIN


def test_what_is_confined_is_within_what_is_not() -> None:
    free = ATOMS["ls"]
    assert isinstance(free.item, ExecRight)
    confined = Atom(free.kind, replace(free.item, confined=True), free.grant)
    assert within(confined, free)
    assert not within(free, confined)
    assert touched_by(free, confined)


RUNS = ("shell", "menu", "ls", "ls *", "ls a*", "any", "literal", "odd literal", "forced", "forced key", "sftp",
        "sftp y", "mail")  # fmt: skip


def test_what_a_deny_touches_wholly() -> None:
    found = those(touched_by)
    expected = WITHIN | {("literal", "ls *"), ("literal", "ls a*")}
    expected |= {("shell", "menu"), ("menu", "shell"), ("sftp", "sftp y"), ("sftp y", "sftp")}
    expected |= {(name, forced) for name in RUNS for forced in ("forced", "forced key") if name != forced}
    assert found == expected


def test_what_a_deny_may_touch() -> None:
    exec_ = ("ls", "ls *", "ls a*", "any", "literal", "odd literal")
    apart = {("ls", name) for name in ("ls *", "ls a*", "literal", "odd literal")}
    apart |= {("odd literal", name) for name in ("ls *", "ls a*", "literal")}
    apart |= {(b, a) for a, b in apart}
    expected = {(a, b) for a in exec_ for b in exec_ if a != b and (a, b) not in apart}
    expected |= {(a, b) for a in RUNS for b in RUNS if a != b and {a, b} & {"forced", "forced key"}}
    expected |= {("shell", "menu"), ("sftp", "sftp y"), ("LC", "LC_ALL")}
    expected |= {(b, a) for a, b in expected}
    assert those(meets) == expected


@dataclass(frozen=True)
class Odd:
    """A permission of a kind that the comparison does not know."""

    path: tuple[str, ...] = ()
    in_home: bool = False


def test_a_kind_that_is_not_known_is_the_same_or_not() -> None:
    grant = ATOMS["ls"].grant
    one, other = Atom("new_kind", Odd(("a",)), grant), Atom("new_kind", Odd(("b",)), grant)
    assert within(one, one)
    assert not within(one, other)
    assert not touched_by(one, other)
    # Where it can not be told, a deny counts.
    assert meets(one, other)
    assert meets(one, ATOMS["ls"])
    assert str(Atom("new_kind", True, grant)) == "new-kind: true"
    assert title("new_kind", 3) == "new-kind: 3"


OPENS_SFTP = {
    "shell: true": False,
    "forced: [serve]": True,
    "subsystems: sftp": True,
    "subsystems: mail": False,
    "exec: any": True,
    "exec: ls": False,
    'exec: "s?p -f *"': True,
    "exec: {literal: scp -f /a}": True,
    "exec: {literal: 'ls; scp -f /a'}": False,
    "exec: {profile: scp, paths: [/srv]}": True,
    "exec: {profile: git, paths: [/srv]}": False,
}
"""What is denied, and whether that touches what opens SFTP."""

SFTP = "sftp: {mounts: {/: /srv}, paths: {/: [list, download]}}"


def rules(*grants: str) -> Ruleset:
    return load_text(
        f"{PEOPLE}grants:\n" + "".join(f"  - {{who: alice, {one}}}\n" for one in grants), language=True
    ).ruleset


def first(text: str) -> Atom:
    return next(atoms(grant_of(rules(f"allow: {{{text}}}"))))


@pytest.mark.parametrize(("denied", "touches"), OPENS_SFTP.items())
def test_a_deny_of_what_runs_beside_sftp(denied: str, touches: bool) -> None:
    """Held against decisions too, so that a deny of the old policy is never overlooked."""
    both = rules(f"allow: {{{SFTP}}}", f"deny: {{{denied}}}")
    sftp, deny = (next(atoms(grant)) for grant in both.grants)
    assert meets(sftp, deny) is touches
    opening = (Subsystem("sftp"), Exec(b"scp -f /a"), Exec(b"scp -r -t /srv/x"))
    closed = [one for one in opening if not decide(both, Query(facts("alice"), one)).allowed]
    assert bool(closed) is touches


def test_a_deny_of_words_of_no_form_that_is_known_counts() -> None:
    right = ExecRight("?", confined=False, where="", words=WordsPattern("?", ()))
    assert meets(first(SFTP), Atom("runs", right, ATOMS["ls"].grant))


def test_a_deny_of_another_kind_touches_what_runs_alone() -> None:
    """SFTP is asked for as what runs, so that a deny of one may touch it; nothing else is of two kinds."""
    kinds = [first(SFTP), first("agent: true"), first("forward: {local: 'a:1'}"),
             *(ATOMS[name] for name in ("any", "pty", "LC", "INT", "set"))]  # fmt: skip
    for one in kinds:
        touching = [other.kind for other in kinds if other.kind != one.kind and meets(one, other)]
        assert touching == (["runs"] if one.kind == "sftp" else [])


def test_slots_that_others_may_fill() -> None:
    assert odd_slots(ATOMS["forced"].item) == frozenset()
    assert odd_slots(ATOMS["forced key"].item) == {"key"}
    assert odd_slots(Odd(in_home=True)) == {"home"}
    assert odd_slots(Odd(("user", "source"))) == {"source"}


@pytest.mark.parametrize("name", ["ls", "ls *", "ls a*", "any", "literal"])
def test_commands_that_show_a_permission(name: str) -> None:
    right = ATOMS[name].item
    assert isinstance(right, ExecRight)
    found = list(commands(right))
    assert found
    assert any(right.permits(one, words) for one, words in asked(found))


def asked(found: list[bytes]) -> list[tuple[object, tuple[str, ...]]]:
    return [(Exec(command), split_words(command)) for command in found if b";" not in command and command]


def test_names_that_show_a_pattern_of_variables() -> None:
    assert all(parse_glob("LC_*").matches(name) for name in variables(parse_glob("LC_*")))
    assert "LANG" in variables(parse_glob("LANG"))


def test_permissions_of_two_kinds_are_never_within_each_other() -> None:
    grant = ATOMS["ls"].grant
    one, other = Atom("pty", True, grant), Atom("another_kind", True, grant)
    assert within(one, one)
    assert within(one, other) is within(other, one) is False
    assert touched_by(one, other) is touched_by(other, one) is False


@pytest.mark.parametrize("name", ["shell", "menu", "ls", "any", "literal", "forced", "forced key", "sftp", "mail"])
def test_whatever_runs_is_within_itself_where_it_is_confined(name: str) -> None:
    free = ATOMS[name]
    shut = Atom(free.kind, replace(free.item, confined=True), free.grant)  # type: ignore[type-var]
    assert within(shut, free)
    assert not within(free, shut)
    assert touched_by(free, shut)
    assert touched_by(shut, free)


def test_a_deny_of_another_destination_touches_nothing() -> None:
    one, wide, other = (first(f"forward: {{local: '{host}:1'}}") for host in ("a.b", "*.b", "c.d"))
    assert meets(one, other) is meets(wide, other) is touched_by(one, other) is touched_by(wide, one) is False
    assert meets(one, wide) is meets(wide, one) is touched_by(one, wide) is True


@pytest.mark.parametrize(
    ("denied", "touched"),
    [
        ("{literal: scp -f /a}", True),
        ("scp -f *", True),
        ("[scp, -f, '{key}']", False),
        ("{profile: scp, paths: [/a]}", False),
    ],
)
def test_a_deny_touches_a_literal_where_nothing_but_the_command_says_so(denied: str, touched: bool) -> None:
    deny = denied if denied.startswith("{") else f"[{denied}]"
    assert touched_by(first("exec: {literal: scp -f /a}"), first(f"exec: {deny}")) is touched


def test_the_signals_that_permissions_name() -> None:
    assert signals_named([ATOMS["INT"], ATOMS["pty"], ATOMS["LANG"], ATOMS["HUP"]]) == {"INT", "HUP"}


def test_names_that_show_a_pattern() -> None:
    assert list(variables(parse_glob("LC_*"))) == ["LC_X", "LC_", "LC_ZZ9"]
    assert list(variables(parse_glob("A?_*B"))) == ["AX_XB", "AX_B", "AX_ZZ9B"]
    assert list(commands(rule_of("exec: 'ls * ?'"))) == [b"ls x x", b"ls '' x", b"ls zz9 x", b"ls x/x x"]


def rule_of(text: str) -> ExecRight:
    """The first permission of exec."""
    right = first(f"{text}, confined: true").item
    assert isinstance(right, ExecRight)
    return right
