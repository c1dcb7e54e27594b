"""Why the nearest permission does not permit a request, and what keeps somebody from an account."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest

from pysshd.policy.explain import plain
from pysshd.policy.load import load_text
from pysshd.policy.misfit import Misfit, nearest, nearest_login
from pysshd.policy.misfit_words import exec_fault, is_of_program
from pysshd.policy.people import Person
from pysshd.policy.query import Exec, Global
from pysshd.policy.rights import ExecRight
from tests.policy.support import HASH, KEYS, NOON, PEOPLE, facts
from tests.policy.test_explain import explained

POLICY = """\
server: {accounts: system, timezone: Europe/Paris}
roles:
  look:
    exec:
      - "ls *"
      - "cat /var/log/*"
      - "tail -n ? /var/log/*"
      - "who"
      - {literal: "a; b"}
      - [pick, {enum: [red, green]}]
      - [age, {regex: "[0-9]+"}]
      - [show, {path_under: "/srv/{user}"}]
      - [mine, {path_under: "/srv/{key}"}]
      - [every, {path_under: /}]
      - {profile: scp, paths: "/srv/{user}", read_only: true}
      - {profile: scp, paths: "/in", write_only: true}
      - {profile: borg, paths: "/srv/{key}"}
    env: {accept: [LANG, "LC_*"]}
    subsystems: {mail: [postman]}
  db:
    forward:
      local: ["db*.corp:5432", 10.2.0.0/16:443, "loopback:8080", "[fd00::/8]:22", "*:9999"]
      remote: ["loopback:9000-9100", 10.0.0.5:80]
      local_unix: ["/run/*/x.sock", "/run/y"]
  box: {sftp: {mounts: {/: /srv}, paths: {/: [list], "/in/**": [upload], "/*/x": [list], "/in/x": [delete]}}}
grants:
  - {name: looks, who: bob, roles: look}
  - {name: tunnels, who: bob, roles: db}
  - {name: files, who: alice, roles: box}
  - {name: later, who: bob, not_before: 2030-01-01, allow: {exec: date}}
  - {name: no-env, who: bob, deny: {env: {accept: ["LC_T*"]}}}
"""


def found(text: str, **known: Any) -> Misfit | None:
    return explained(text, policy=POLICY, **known).nearest


LS = "exec: ls *"


@pytest.mark.parametrize(
    ("text", "permission", "why", "hint"),
    [
        ("exec ls -l", LS, "word 2, '-l', begins with '-', and * takes no word that does", "-* takes words that do"),
        ("exec ls ''", LS, "word 2, '', is empty, and * takes no empty word", ""),
        ("exec ls a b", LS, "it is of 2 words, and 3 came: 'b' is one too many",
         "a '*' is one word, and never several"),
        ("exec ls", LS, "it is of 2 words, and 1 came: there is nothing for *", "a '*' is one word, and never none"),
        ("exec who am", "exec: who", "it is of 1 word, and 2 came: 'am' is one too many",
         "a '*' is one word, and never several"),
        ("exec ls x; id", LS, "the command is not plain words: it has ';', which a shell would read",
         "only {literal: …} and any permit such a command"),
        ("exec cat /etc/shadow", "exec: cat /var/log/*", "word 2, '/etc/shadow', is not of the form /var/log/*", ""),
        ("exec cat /var/log/../x", "exec: cat /var/log/*",
         "word 2, '/var/log/../x', has a part '..', and /var/log/* takes no path that leads out", ""),
        ("exec tail -n 10 /var/log/a", "exec: tail -n ? /var/log/*", "word 3, '10', is not of the form ?", ""),
        ("exec a; c", "exec: {literal: 'a; b'}", "the command is not plain words: it has ';', which a shell would read",
         "only {literal: …} and any permit such a command"),
        ("exec pick rde", "exec: [pick, {enum: [red, green]}]", "word 2, 'rde', is none of red, green",
         "did you mean 'red'?"),
        ("exec age x", "exec: [age, {regex: '[0-9]+'}]", "word 2, 'x', is not matched by {regex: '[0-9]+'}",
         "an expression is held to the whole word"),
        ("exec age -1", "exec: [age, {regex: '[0-9]+'}]",
         "word 2, '-1', begins with '-', and a slot takes no word that does", ""),
        ("exec age " + "1" * 1025, "exec: [age, {regex: '[0-9]+'}]",
         f"word 2, '{'1' * 64}…', has more than 1024 characters", ""),
        ("exec age ''", "exec: [age, {regex: '[0-9]+'}]", "word 2, '', is empty, and a slot takes no empty word", ""),
        ("exec show x", "exec: [show, {path_under: /srv/{user}}]",
         "word 2, 'x', is no absolute path, as {path_under: /srv/{user}} asks for", ""),
        ("exec show /srv/bob/../x", "exec: [show, {path_under: /srv/{user}}]",
         "word 2, '/srv/bob/../x', has a part that is empty, '.' or '..'", "write the path without them"),
        ("exec show /srv/alice/x", "exec: [show, {path_under: /srv/{user}}]",
         "word 2, '/srv/alice/x', is not below /srv/bob", ""),
        ("exec every /", "exec: [every, {path_under: /}]", "word 2, '/', is not below /", ""),
        ("exec scp -t /srv/bob/x", "exec: {profile: scp, paths: [/srv/{user}], read_only: true}",
         "it would write, and the profile is read_only", ""),
        ("exec scp -f /in/x", "exec: {profile: scp, paths: [/srv/{user}], read_only: true}",
         "/in/x is in none of its paths", ""),
        ("exec scp -f x", "exec: {profile: scp, paths: [/srv/{user}], read_only: true}",
         "x is relative, and the profile has no relative_to", ""),
        ("exec scp --odd", "exec: {profile: scp, paths: [/srv/{user}], read_only: true}",
         "it is in no form that the profile understands", ""),
        ("exec sl", "", "no exec permission is of 'sl'; there are some of a;, age, borg, cat, every, ls, mine, pick, "
         "scp, show, tail, who", ""),
        ("exec tial", "", "no exec permission is of 'tial'; there are some of a;, age, borg, cat, every, ls, mine, "
         "pick, scp, show, tail, who", "did you mean 'tail'?"),
        ("exec /usr/bin/who", "", "no exec permission is of '/usr/bin/who'; there are some of a;, age, borg, cat, "
         "every, ls, mine, pick, scp, show, tail, who", "'who' is another word than '/usr/bin/who'"),
        ("subsystem mial", "", "no subsystem is 'mial'; permitted are mail", "did you mean 'mail'?"),
        ("env LD=x", "", "no pattern takes LD; accepted are LANG, LC_*", ""),
        ("forward db1.corp:5433 10.9.9.9", "forward: {local: db*.corp:5432}", "port 5433 is not 5432", ""),
        ("forward db1.x.corp:5432 10.9.9.9", "forward: {local: db*.corp:5432}",
         "db1.x.corp is not of the form db*.corp, nor is its address 10.9.9.9", ""),
        ("forward dbx.y.corp:5432 10.9.9.9", "forward: {local: db*.corp:5432}",
         "dbx.y.corp is not of the form db*.corp, nor is its address 10.9.9.9", ""),
        ("forward 10.9.9.9:5432", "forward: {local: db*.corp:5432}",
         "10.9.9.9 was asked for, and db*.corp is of names: what name an address has is not looked up",
         "a client that asks for the name is judged by it"),
        ("forward 10.2.3.4:80", "forward: {local: 10.2.0.0/16:443}", "port 80 is not 443", ""),
        ("forward web.corp:443 10.9.9.9", "forward: {local: 10.2.0.0/16:443}",
         "10.9.9.9, the address of web.corp, is not in 10.2.0.0/16", ""),
        ("forward localhost:80", "forward: {local: loopback:8080}", "port 80 is not 8080", ""),
        ("forward 169.254.169.254:9999", "forward: {local: *:9999}",
         "169.254.169.254 is special, being metadata, and * is wider than that",
         "only a pattern that lies inside reaches it: metadata:PORT, or the address itself"),
        # Of the host and the port the host comes nearer, and of two hosts that are others the one with the port.
        ("forward db1.corp:443 10.9.9.9", "forward: {local: db*.corp:5432}", "port 443 is not 5432", ""),
        ("forward 10.2.3.4:22", "forward: {local: 10.2.0.0/16:443}", "port 22 is not 443", ""),
        ("forward 10.3.3.4:22", "forward: {local: [fd00::/8]:22}", "10.3.3.4 is not in [fd00::/8]", ""),
        ("forward 10.3.3.4:443", "forward: {local: 10.2.0.0/16:443}", "10.3.3.4 is not in 10.2.0.0/16", ""),
        ("listen localhost:80", "forward: {remote: loopback:9000-9100}", "port 80 is not among 9000-9100", ""),
        ("listen 10.0.0.5:9000", "forward: {remote: 10.0.0.5:80}", "port 9000 is not 80", ""),
        ("forward-unix /run/z", "forward: {local_unix: /run/*/x.sock}", "/run/z is not of the form /run/*/x.sock",
         "a '*' stays inside one part of a path"),
        ("forward [fd01::1]:23", "forward: {local: [fd00::/8]:22}", "port 23 is not 22", ""),
        ("listen :9000", "forward: {remote: loopback:9000-9100}",
         "every address (0.0.0.0 and ::) is asked for, and loopback is not that",
         "a client that names localhost asks for loopback alone"),
        ("listen localhost:9101", "forward: {remote: loopback:9000-9100}", "port 9101 is not among 9000-9100", ""),
        ("listen 10.0.0.6:80", "forward: {remote: 10.0.0.5:80}", "10.0.0.6 is not in 10.0.0.5", ""),
        ("listen 10.0.0.6:81", "forward: {remote: loopback:9000-9100}",
         "10.0.0.6 is not in loopback, and port 81 is not among 9000-9100", ""),
        ("forward-unix /run/a/b/x.sock", "forward: {local_unix: /run/*/x.sock}",
         "/run/a/b/x.sock is not of the form /run/*/x.sock", "a '*' stays inside one part of a path"),
    ],
)  # fmt: skip
def test_the_nearest_permission(text: str, permission: str, why: str, hint: str) -> None:
    misfit = found(text)
    assert misfit is not None
    assert (misfit.permission.partition(" (confined)")[0], misfit.why, misfit.hint) == (permission, why, hint)
    assert misfit.where.startswith("p.yaml:") is bool(permission)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sftp delete /in/y", "at '/in/y' decides /in/**, which permits upload"),
        ("sftp upload /in/x", "at '/in/x' decides /in/x, which permits delete"),
        ("sftp list /in", "/in/** is what is under '/in', and not the folder itself"),
        ("sftp list /out", "no pattern is of '/out'; there are /, /*/x, /in/**, /in/x"),
        ("sftp upload /", "at '/' decides /, which permits list, stat"),
    ],
)
def test_paths_of_sftp(text: str, why: str) -> None:
    misfit = found(text, person="alice")
    assert misfit is not None
    assert (misfit.why, misfit.grant) == (why, "files")


@pytest.mark.parametrize("text", ["shell", "pty xterm", "agent", "listen-unix /run/x", "env LC_TIME=C", "exec ls x",
                                  "forward 127.1:80", "env LD_PRELOAD=x"])  # fmt: skip
def test_there_is_none(text: str) -> None:
    """What has no pattern, what a deny or the language refuses, and what is allowed."""
    assert found(text) is None


@pytest.mark.parametrize("text", ["exec ls", "subsystem mail", "env LANG=C", "sftp list /", "forward x:1"])
def test_of_a_kind_that_nothing_gives_none_is_near(text: str) -> None:
    assert found(text, person="carol") is None


SLOTS = """\
server: {accounts: system}
login: [{methods: password}]
grants:
  - {who: bob, allow: {exec: ["pair {key} *", [mine, {path_under: "/srv/{key}"}], "hers {user}/*"]}}
  - {who: bob, allow: {exec: {profile: borg, paths: "/srv/{key}"}}}
  - {who: bob, allow: {subsystems: {mail: [postman, "{key}"]}, forward: {local_unix: "/run/{key}"}}}
  - {who: bob, allow: {sftp: {mounts: {/: "/srv/{key}"}, paths: {/in: [list]}}}}
"""
NO_KEY = "{key} has no value: no key was used"


@pytest.mark.parametrize(
    ("text", "permission", "why"),
    [
        ("exec mine /srv/x", "exec: [mine, {path_under: /srv/{key}}]", NO_KEY),
        ("exec pair a b", "exec: pair {key} *", NO_KEY),
        ("signal TERM exec pair a b", "exec: pair {key} *", NO_KEY),
        ("exec borg serve", "exec: {profile: borg, paths: [/srv/{key}]}", NO_KEY),
        ("subsystem mail", "subsystem mail: [postman, {key}]", NO_KEY),
        ("subsystem sftp", "sftp: {mounts: {/: /srv/{key}}, paths: {/in: …}}", NO_KEY),
        ("sftp list /in", "sftp: {mounts: {/: /srv/{key}}, paths: {/in: …}}", NO_KEY),
        ("forward-unix /run/x", "forward: {local_unix: /run/{key}}", NO_KEY),
        # What would not be permitted with any value
        ("sftp list /out", "sftp: {mounts: {/: /srv/{key}}, paths: {/in: …}}",
         "no pattern is of '/out'; there are /in"),
        ("exec mine /srv/x y", "exec: [mine, {path_under: /srv/{key}}]",
         "it is of 2 words, and 3 came: 'y' is one too many"),
        ("exec pair x -y", "exec: pair {key} *", "word 3, '-y', begins with '-', and * takes no word that does"),
        ("exec hers alice/x", "exec: hers {user}/*", "word 2, 'alice/x', is not of the form bob/*"),
    ],
)  # fmt: skip
def test_a_slot_that_has_no_value_permits_nothing(text: str, permission: str, why: str) -> None:
    people = f"version: 1\nusers: {{bob: {{keys: ['{KEYS[0]}'], password: '{HASH}'}}}}\n"
    near = explained(text, people=people, policy=SLOTS, chain=("password",)).nearest
    assert near is not None
    assert (near.permission, near.why) == (permission, why)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (b"borg serve", "a slot of its paths has no value here"),
        (b"hers x/y", "word 2, 'x/y', is not of the form {user}/*"),
    ],
)
def test_a_slot_with_what_no_path_may_have(command: bytes, why: str) -> None:
    grants = load_text(PEOPLE + SLOTS, language=True).ruleset.grants
    request = Exec(command)
    [right] = [right for grant in grants for right in grant.rights.runs
               if isinstance(right, ExecRight) and is_of_program(right, request)]  # fmt: skip
    assert exec_fault(right, request, {"user": "..", "key": ".."})[1] == why


def test_folders_without_a_place_are_no_subsystem() -> None:
    policy = "server: {accounts: system}\ngrants: [{who: bob, allow: {sftp: {paths: {/: [list]}}}}]\n"
    assert explained("subsystem sftp", policy=policy).nearest is None


def test_what_is_near_in_other_policies() -> None:
    for allow, text, why in (
        ("exec: [{literal: date -u}]", "exec date -u x", "a literal permits these very bytes alone"),
        ("exec: [{literal: date -u}, x]", "exec id", "no exec permission is of 'id'; there are some of date, x"),
        ("sftp: {mounts: {/in: /srv}}, exec: x", "sftp list /out", None),
        (
            "sftp: {mounts: {/: /srv}, paths: {'/**': [list]}}",
            "sftp list /",
            "/** is what is under '/', and not the folder itself",
        ),
        ("forward: {local: [a.corp:80, b.corp:443]}", "forward b.corp:80", "port 80 is not 443"),
        ("forward: {local: [a.corp:80, b.corp:443]}", "forward c.corp:443", "c.corp is not of the form b.corp"),
        (
            "sftp: {mounts: {/: /srv}, paths: {'/X/**': [list]}}",
            "sftp list /X",
            "/X/** is what is under '/X', and not the folder itself",
        ),
        ("forward: {local: db1.corp:5432}", "forward db2.corp:5432", "db2.corp is not of the form db1.corp"),
        ("forward: {local: '**.corp:5432'}", "forward db2.org:5432", "db2.org is not of the form **.corp"),
        (
            "sftp: {mounts: {/: /srv}, paths: {'/a*': [list], '/a?': [upload]}}",
            "sftp list /ab",
            "at '/ab' decides /a* and /a?, which permits nothing",
        ),
        ("subsystems: {mail: [postman]}", "subsystem sftp", "no subsystem is 'sftp'; permitted are mail"),
        (
            "subsystems: {mail: [postman]}, sftp: {mounts: {/: /srv}, paths: {/: [list]}}",
            "subsystem news",
            "no subsystem is 'news'; permitted are mail, sftp",
        ),
    ):
        policy = f"server: {{accounts: system}}\ngrants: [{{who: bob, allow: {{{allow}}}}}]\n"
        near = explained(text, policy=policy).nearest
        assert (near.why if near is not None else None) == why


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("sftp list /none", "a"),  # of those that are equally far the first
        ("sftp list /b", "b"),
        ("sftp upload /c", "c"),
        ("sftp upload /b/x", "b"),
    ],
)
def test_of_several_trees_the_one_with_the_nearest_path(text: str, grant: str) -> None:
    """A pattern that decides is nearer than one of what is under the path, and that than none."""
    paths = {"a": "/a: [list]", "b": "/b/**: [list]", "c": "/c/**: [list], /c: [list]", "d": "/c/**: [list]"}
    grants = "".join(
        f"  - {{name: {name}, who: bob, allow: {{sftp: {{mounts: {{/: /srv}}, paths: {{{some}}}}}}}}}\n"
        for name, some in paths.items()
    )
    near = explained(text, policy=f"server: {{accounts: system}}\ngrants:\n{grants}").nearest
    assert near is not None
    assert near.grant == grant


def test_a_star_that_would_have_to_cross_labels() -> None:
    policy = POLICY.replace("db*.corp", "*.corp")
    near = explained("forward a.b.corp:5432 10.9.9.9", policy=policy).nearest
    assert near is not None
    assert near.hint == "a '*' stays inside a label: **.corp takes several"


WINDOWS = f"""\
version: 1
users:
  bob: {{accounts: [bob, git], keys: ["{KEYS[0]}"], not_before: 2026-01-01, not_after: 2026-12-31}}
  eve: {{keys: [{{name: old, key: "{KEYS[1]}", not_before: 2025-01-01, not_after: 2026-06-30}}]}}
"""


@pytest.mark.parametrize(
    ("person", "known", "why", "hint", "where"),
    [
        ("bob", {"account": "gti"}, "bob may log in as bob, git", "did you mean 'git'?", ""),
        ("bob", {"now": datetime(2027, 5, 1, tzinfo=UTC)}, "bob has expired: valid until 2026-12-31T23:00+00:00", "",
         "p.yaml:3"),
        ("bob", {"now": datetime(2026, 12, 31, 23, tzinfo=UTC)},
         "bob has expired: valid until 2026-12-31T23:00+00:00", "", "p.yaml:3"),
        ("bob", {"now": datetime(2025, 5, 1, tzinfo=UTC)},
         "bob is not valid yet: valid from 2025-12-31T23:00+00:00", "", "p.yaml:3"),
        ("bob", {"now": datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC)},
         "bob is not valid yet: valid from 2025-12-31T23:00+00:00", "", "p.yaml:3"),
        ("eve", {}, "the key old has expired: valid until 2026-06-30T22:00+00:00", "", "p.yaml:4"),
        ("eve", {"now": datetime(2024, 6, 1, tzinfo=UTC)},
         "the key old is not valid yet: valid from 2024-12-31T23:00+00:00", "", "p.yaml:4"),
    ],
)  # fmt: skip
def test_what_keeps_somebody_from_an_account(
    person: str, known: dict[str, Any], why: str, hint: str, where: str
) -> None:
    policy = "server: {timezone: Europe/Paris}\n"
    near = explained("shell", person=person, people=WINDOWS, policy=policy, account=known.pop("account", person),
                     **known).nearest  # fmt: skip
    assert near is not None
    assert (near.why, near.hint, near.where) == (why, hint, where)


@pytest.mark.parametrize(
    "now", [datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), datetime(2025, 12, 31, 23, tzinfo=UTC)]
)
def test_at_the_edges_of_their_time_nothing_keeps_them(now: datetime) -> None:
    policy = "server: {timezone: Europe/Paris}\n"
    found = explained("shell", people=WINDOWS, policy=policy, now=now)
    assert found.login.admitted
    assert found.nearest is None


def test_who_has_no_account_has_names_that_nobody_has() -> None:
    near = nearest_login(Person("guest", accounts=()), "git", NOON, ())
    assert near == Misfit("guest may log in as the names that nobody has")


def test_whom_the_login_section_keeps_out_is_told_of_there() -> None:
    policy = "login: [{from: 192.0.2.0/24, methods: publickey}]\n"
    assert explained("shell", policy=policy, source=ip_address("10.0.0.1")).nearest is None


def test_for_machines() -> None:
    answer = plain(explained("exec ls -l", policy=POLICY))["nearest"]
    assert answer["permission"] == LS
    assert answer["grant"] == "looks"
    assert answer["where"].startswith("p.yaml:")
    assert plain(explained("shell", policy=POLICY))["nearest"] is None


def test_nothing_is_near_what_every_policy_decides_alike() -> None:
    ruleset = load_text(PEOPLE + POLICY, "p.yaml", language=True).ruleset
    asked = replace(facts(), holder=ruleset.people["alice"])
    assert nearest(ruleset, asked, Global("keepalive@openssh.com")) is None


@pytest.mark.parametrize(
    ("profile", "command", "why"),
    [
        ("write_only: true", "scp -f /in/x", "it would read, and the profile is write_only"),
        ("read_only: true", "scp -t /in/x", "it would write, and the profile is read_only"),
        ("write_only: true", "scp -t /out/x", "/out/x is in none of its paths"),
        ("relative_to: /in", "scp -t ../x", "../x is in none of its paths"),
    ],
)
def test_why_a_profile_does_not_permit_it(profile: str, command: str, why: str) -> None:
    policy = f"grants: [{{who: bob, allow: {{exec: {{profile: scp, paths: /in, {profile}}}, confined: true}}}}]\n"
    nearest_one = explained(f"exec {command}", policy=policy).nearest
    assert nearest_one is not None
    assert nearest_one.why == why
