"""How near a permission comes to a request, why it is not that, and what may be done: all three, form by form."""

from functools import cache

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.misfit_net import Fault, net_fault
from pysshd.policy.misfit_words import exec_fault, is_of_program, program_of
from pysshd.policy.query import Exec
from pysshd.policy.rights import ExecRight, Rights
from pysshd.policy.verbs import read_request
from tests.policy.support import PEOPLE

FARTHEST, ITS_PORT, ITS_HOST, BOTH = range(4)
"""The scores of a destination: a host that is meant is nearer than a port that is."""


@cache
def given(text: str) -> Rights:
    """What a grant of one permission gives."""
    policy = f"server: {{accounts: system}}\ngrants: [{{who: bob, allow: {{{text}}}}}]\n"
    (grant,) = load_text(PEOPLE + policy, "p.yaml", language=True).ruleset.grants
    return grant.rights


def special(address: str, word: str, host: str) -> tuple[str, str]:
    return (
        f"{address} is special, being {word}, and {host} is wider than that",
        f"only a pattern that lies inside reaches it: {word}:PORT, or the address itself",
    )


NO_NAME = (
    "10.9.9.9 was asked for, and db*.corp is of names: what name an address has is not looked up",
    "a client that asks for the name is judged by it",
)
BY_NAME = "web.org is a name, and 10.2.0.0/16 is of addresses: its address is asked for by itself"
DEEPER = "a '*' stays inside a label: **.corp takes several"
FALLS = "and port 1 is not 5432"

TO = {
    "db*.corp:5432": {
        "db1.corp:5433": (ITS_HOST, "port 5433 is not 5432", ""),
        "db1.corp:5433 10.9.9.9": (ITS_HOST, "port 5433 is not 5432", ""),
        "x.org:5432": (ITS_PORT, "x.org is not of the form db*.corp", ""),
        "x.org:5432 10.9.9.9": (ITS_PORT, "x.org is not of the form db*.corp, nor is its address 10.9.9.9", ""),
        "x.org:1": (FARTHEST, f"x.org is not of the form db*.corp, {FALLS}", ""),
        "x.org:1 10.9.9.9": (
            FARTHEST, f"x.org is not of the form db*.corp, nor is its address 10.9.9.9, {FALLS}", ""),
        "10.9.9.9:5432": (ITS_PORT, *NO_NAME),
        "10.9.9.9:1": (FARTHEST, f"{NO_NAME[0]}, {FALLS}", NO_NAME[1]),
        "db1.corp:5432 127.0.0.1": (BOTH, *special("127.0.0.1", "loopback", "db*.corp")),
        "x.org:5432 127.0.0.1": (ITS_PORT, *special("127.0.0.1", "loopback", "db*.corp")),
    },
    "10.2.0.0/16:5432": {
        "10.2.0.1:1": (ITS_HOST, "port 1 is not 5432", ""),
        "web.org:1 10.2.0.1": (ITS_HOST, "port 1 is not 5432", ""),
        "10.3.0.1:5432": (ITS_PORT, "10.3.0.1 is not in 10.2.0.0/16", ""),
        "10.3.0.1:1": (FARTHEST, f"10.3.0.1 is not in 10.2.0.0/16, {FALLS}", ""),
        "web.org:5432": (ITS_PORT, BY_NAME, ""),
        "web.org:1": (FARTHEST, f"{BY_NAME}, {FALLS}", ""),
        "web.org:5432 10.3.0.1": (ITS_PORT, "10.3.0.1, the address of web.org, is not in 10.2.0.0/16", ""),
        "web.org:1 10.3.0.1": (
            FARTHEST, f"10.3.0.1, the address of web.org, is not in 10.2.0.0/16, {FALLS}", ""),
    },
    # Every host is meant by it, so that it comes near by its port alone; but where it is too wide, it was meant.
    "*:5432": {
        "10.2.0.1:1": (FARTHEST, "port 1 is not 5432", ""),
        "web.org:1": (FARTHEST, "port 1 is not 5432", ""),
        "web.org:1 10.2.0.1": (FARTHEST, "port 1 is not 5432", ""),
        "127.0.0.1:5432": (BOTH, *special("127.0.0.1", "loopback", "*")),
        "localhost:5432": (BOTH, *special("127.0.0.1", "loopback", "*")),
        "x.org:5432 169.254.169.254": (BOTH, *special("169.254.169.254", "metadata", "*")),
        "169.254.1.1:5432": (BOTH, *special("169.254.1.1", "link-local", "*")),
    },
    "*.corp:5432": {
        "a.b.corp:5432": (ITS_PORT, "a.b.corp is not of the form *.corp", DEEPER),
        "a.b.corp:1 10.9.9.9": (
            FARTHEST, f"a.b.corp is not of the form *.corp, nor is its address 10.9.9.9, {FALLS}", DEEPER),
        "a.b.org:5432": (ITS_PORT, "a.b.org is not of the form *.corp", ""),
    },
    "loopback:80-90": {
        "localhost:91": (ITS_HOST, "port 91 is not among 80-90", ""),
        "127.0.0.1:91": (ITS_HOST, "port 91 is not among 80-90", ""),
        "[::1]:79": (ITS_HOST, "port 79 is not among 80-90", ""),
        "10.0.0.1:90": (ITS_PORT, "10.0.0.1 is not in loopback", ""),
        "x.org:80 10.0.0.1": (ITS_PORT, "10.0.0.1, the address of x.org, is not in loopback", ""),
        "x.org:80": (ITS_PORT, "x.org is a name, and loopback is of addresses: its address is asked for by itself", ""),
    },
    # What hands out secrets is link-local too, and has to be meant more narrowly than that.
    "169.254.0.0/16:80": {
        "169.254.169.254:80": (BOTH, *special("169.254.169.254", "metadata", "169.254.0.0/16")),
        "169.254.1.1:81": (ITS_HOST, "port 81 is not 80", ""),
        "x.org:80 169.253.1.1": (ITS_PORT, "169.253.1.1, the address of x.org, is not in 169.254.0.0/16", ""),
    },
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "asked"), [(pattern, asked) for pattern, some in TO.items() for asked in some])
def test_a_destination(pattern: str, asked: str) -> None:
    (right,) = given(f"forward: {{local: '{pattern}'}}").net
    assert net_fault(right, read_request(f"forward {asked}"), {}) == TO[pattern][asked]


def every(addresses: str, host: str) -> tuple[str, str]:
    return (
        f"every address ({addresses}) is asked for, and {host} is not that",
        "a client that names localhost asks for loopback alone",
    )


AT = {
    "loopback:9000-9100": {
        ":9000": (ITS_PORT, *every("0.0.0.0 and ::", "loopback")),
        ":1": (FARTHEST, every("0.0.0.0 and ::", "loopback")[0] + ", and port 1 is not among 9000-9100",
               every("", "")[1]),
        "localhost:1": (ITS_HOST, "port 1 is not among 9000-9100", ""),
        "127.0.0.1:9101": (ITS_HOST, "port 9101 is not among 9000-9100", ""),
        "10.0.0.6:9000": (ITS_PORT, "10.0.0.6 is not in loopback", ""),
        "10.0.0.6:80": (FARTHEST, "10.0.0.6 is not in loopback, and port 80 is not among 9000-9100", ""),
    },
    "*:9000": {
        ":9001": (FARTHEST, "port 9001 is not 9000", ""),
        "10.0.0.5:1": (FARTHEST, "port 1 is not 9000", ""),
    },
    "10.0.0.5:80": {
        "0.0.0.0:80": (ITS_PORT, *every("0.0.0.0", "10.0.0.5")),
        "[::]:80": (ITS_PORT, *every("::", "10.0.0.5")),
        "10.0.0.5:81": (ITS_HOST, "port 81 is not 80", ""),
        "10.0.0.6:80": (ITS_PORT, "10.0.0.6 is not in 10.0.0.5", ""),
    },
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "asked"), [(pattern, asked) for pattern, some in AT.items() for asked in some])
def test_a_listener(pattern: str, asked: str) -> None:
    (right,) = given(f"forward: {{remote: '{pattern}'}}").net
    assert net_fault(right, read_request(f"listen {asked}"), {}) == AT[pattern][asked]


INSIDE = "a '*' stays inside one part of a path"
KINDS: dict[str, dict[str, Fault]] = {
    "forward: {local_unix: '/run/*/x'}": {"forward-unix /run/x": (0, "/run/x is not of the form /run/*/x", INSIDE)},
    "forward: {remote_unix: '/run/x'}": {"listen-unix /run/y": (0, "/run/y is not of the form /run/x", "")},
    "forward: {local: 'a.b:1'}": {"forward c.d:1": (ITS_PORT, "c.d is not of the form a.b", "")},
    "forward: {remote: '10.0.0.5:1'}": {"listen 10.0.0.6:1": (ITS_PORT, "10.0.0.6 is not in 10.0.0.5", "")},
    "agent: true": {},
}


@pytest.mark.parametrize("text", KINDS)
def test_nothing_is_said_of_a_permission_of_another_kind(text: str) -> None:
    (right,) = given(text).net
    asked = {one for some in KINDS.values() for one in some} | {"x11 single"}
    assert {one: net_fault(right, read_request(one), {}) for one in asked} == dict.fromkeys(asked) | KINDS[text]


LS, CAT, WHO, LETTERS = '"ls *"', '"cat /var/*"', '"who"', '"l? -l"'
LITERAL, SPACED, ANY = '{literal: "a; b"}', '{literal: " date -u"}', "any"
PICK, AGE, SHOW = "[pick, {enum: [red, green]}]", '[age, {regex: "[0-9]+"}]', '[show, {path_under: "/srv/{user}"}]'
SCP, HERS = '{profile: scp, paths: "/in", read_only: true}', '"hers {user}/*"'
PROGRAMS = {
    LS: "ls", CAT: "cat", WHO: "who", LETTERS: "l?", LITERAL: "a;", SPACED: "", ANY: "", PICK: "pick", AGE: "age",
    SHOW: "show", SCP: "scp", HERS: "hers",
}  # fmt: skip


def right_of(text: str) -> ExecRight:
    (right,) = given(f"exec: [{text}]").runs
    assert isinstance(right, ExecRight)
    return right


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_program_that_a_permission_is_of(text: str) -> None:
    assert program_of(right_of(text)) == PROGRAMS[text]


OF_PROGRAM = {
    b"ls x y": {LS, LETTERS}, b"lx": {LETTERS}, b"  ls\tx": {LS, LETTERS}, b" \tls ;id": {LS, LETTERS},
    b"who ;id": {WHO}, b"whom": set(), b"a": set(), b"a; b": {LITERAL}, b"a; c": {LITERAL}, b"a; ;": {LITERAL},
    b"date": {SPACED}, b"date; x": set(), b"pick ;x": {PICK}, b"scp": {SCP}, b"scp ;x": set(),
    b"/usr/bin/scp -f /x": {SCP}, b"show": {SHOW}, b"hers ;\xff": {HERS}, b"\xff": set(), b"": set(), b" ": set(),
}  # fmt: skip


@pytest.mark.parametrize("command", OF_PROGRAM)
def test_the_permissions_that_are_of_the_program_of_a_command(command: bytes) -> None:
    assert {text for text in PROGRAMS if is_of_program(right_of(text), Exec(command))} == OF_PROGRAM[command]


SEVERAL, NONE = "a '*' is one word, and never several", "a '*' is one word, and never none"
FAULTS = {
    (LS, b"ls"): (1, "it is of 2 words, and 1 came: there is nothing for *", NONE),
    (LS, b"ls x y"): (2, "it is of 2 words, and 3 came: 'y' is one too many", SEVERAL),
    (LS, b"ls -l"): (1, "word 2, '-l', begins with '-', and * takes no word that does", "-* takes words that do"),
    (LS, b"ls ''"): (1, "word 2, '', is empty, and * takes no empty word", ""),
    (LS, b"ls x; id"): (0, "the command is not plain words: it has ';', which a shell would read",
                        "only {literal: …} and any permit such a command"),
    (LETTERS, b"ls"): (1, "it is of 2 words, and 1 came: there is nothing for -l", NONE),
    (LETTERS, b"ls x y"): (1, "word 2, 'x', is not of the form -l", ""),
    (LETTERS, b"lx -l x y"): (2, "it is of 2 words, and 4 came: 'x' is one too many", SEVERAL),
    (CAT, b"cat /etc/x"): (1, "word 2, '/etc/x', is not of the form /var/*", ""),
    (CAT, b"cat /var/../x"): (
        1, "word 2, '/var/../x', has a part '..', and /var/* takes no path that leads out", ""),
    (WHO, b"who am i"): (1, "it is of 1 word, and 3 came: 'am' is one too many", SEVERAL),
    (SPACED, b"date x"): (1, "a literal permits these very bytes alone", ""),
    (PICK, b"pick rde"): (1, "word 2, 'rde', is none of red, green", "did you mean 'red'?"),
    (PICK, b"pick"): (1, "it is of 2 words, and 1 came: there is nothing for {enum: [red, green]}", NONE),
    (AGE, b"age x"): (1, "word 2, 'x', is not matched by {regex: '[0-9]+'}",
                      "an expression is held to the whole word"),
    (AGE, b"age -1"): (1, "word 2, '-1', begins with '-', and a slot takes no word that does", ""),
    (AGE, b"age " + b"x" * 1024): (1, f"word 2, '{'x' * 64}…', is not matched by {{regex: '[0-9]+'}}",
                                  "an expression is held to the whole word"),
    (AGE, b"age " + b"1" * 1025): (1, f"word 2, '{'1' * 64}…', has more than 1024 characters", ""),
    (SHOW, b"show x"): (1, "word 2, 'x', is no absolute path, as {path_under: /srv/{user}} asks for", ""),
    (SHOW, b"show /srv/bob/../x"): (
        1, "word 2, '/srv/bob/../x', has a part that is empty, '.' or '..'", "write the path without them"),
    (SHOW, b"show /srv/alice/x"): (1, "word 2, '/srv/alice/x', is not below /srv/bob", ""),
    (SCP, b"scp -t /in/x"): (1, "it would write, and the profile is read_only", ""),
    (SCP, b"scp -f /x"): (1, "/x is in none of its paths", ""),
    (HERS, b"hers x/y"): (1, "word 2, 'x/y', is not of the form bob/*", ""),
    (HERS, b"hers bob/x y"): (2, "it is of 2 words, and 3 came: 'y' is one too many", SEVERAL),
}  # fmt: skip


@pytest.mark.parametrize(("text", "command"), FAULTS)
def test_a_command(text: str, command: bytes) -> None:
    assert exec_fault(right_of(text), Exec(command), {"user": "bob"}) == FAULTS[text, command]
