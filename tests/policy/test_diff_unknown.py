"""What a comparison does not know counts as a gain where it has changed."""

from dataclasses import dataclass, field, fields, replace

import pytest

from pysshd.policy.authorities import Authority
from pysshd.policy.conditions import Account, Conditions
from pysshd.policy.diff import difference
from pysshd.policy.diff_sessions import Side
from pysshd.policy.diff_settings import Wider
from pysshd.policy.diff_unknown import uncompared_logins, unknown_authorities, unknown_facts, unknown_settings
from pysshd.policy.load import load_text
from pysshd.policy.people import Person, PersonKey, Window
from pysshd.policy.ruleset import LoginEntry, Ruleset
from pysshd.policy.settings import Limits, Server, Settings
from tests.policy.support import KEYS, NOON, PEOPLE, load


@dataclass(frozen=True, slots=True)
class LaterServer(Server):
    """A server with a setting of a later version."""

    gate: str = "shut"


@dataclass(frozen=True, slots=True)
class LaterSettings(Settings):
    """Settings with a section of a later version."""

    gates: str = "shut"


@dataclass(frozen=True, slots=True)
class LaterRuleset(Ruleset):
    """A ruleset with people whom it does not name."""

    vouchers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaterPerson(Person):
    """A person with a fact of a later version."""

    token: str = field(default="one")


@dataclass(frozen=True, slots=True)
class LaterAuthority(Authority):
    """An authority with a fact of a later version."""

    revoked: str = ""


@dataclass(frozen=True, slots=True)
class LaterEntry(LoginEntry):
    """A login entry that says more."""

    keepalive: int = 1


def told(old: Ruleset, new: Ruleset) -> list[str]:
    found = list(unknown_settings(Side(new), Side(old)))
    for one in found:
        key = one.what.removesuffix(" is another one")
        assert one == Wider(one.what, key, key, sure=False)
    return [one.what for one in found]


def later(base: Ruleset, **more: object) -> LaterRuleset:
    return LaterRuleset(**{one.name: getattr(base, one.name) for one in fields(base)}, **more)  # type: ignore[arg-type]


def test_settings_that_are_not_known() -> None:
    base = load()
    shut, ajar = (replace(base, settings=Settings(LaterServer(gate=gate))) for gate in ("shut", "open"))
    assert told(shut, ajar) == ["server.gate is another one"]
    assert told(shut, shut) == []
    shut, ajar = (replace(base, settings=LaterSettings(gates=gate)) for gate in ("shut", "open"))
    assert told(shut, ajar) == ["gates is another one"]
    assert told(later(base), later(base, vouchers=("ca",))) == ["vouchers is another one"]
    assert difference(Side(shut), Side(ajar)).gained[0].sure is False


ELSEWHERE: dict[str, object] = {
    "name": "bob", "groups": frozenset(["x"]), "accounts": ("x",), "keys": (PersonKey("k", fingerprint="SHA256:x"),),
    "password": load().people["alice"].password, "home": "/x", "window": Window(NOON, None), "where": "x:1",
    "run_as": "x", "system_password": True, "listed": False, "by_default": True,
    "unknown_groups": frozenset(["x"]), "certified": True,
}  # fmt: skip
"""Every fact of a person that is compared, or that nothing hangs on."""


@pytest.mark.parametrize("name", ELSEWHERE)
def test_facts_of_people_that_are_compared_elsewhere(name: str) -> None:
    base = Person("alice")
    other = replace(base, **{name: ELSEWHERE[name]})  # type: ignore[arg-type]
    assert other != base
    assert unknown_facts(base, other) == unknown_facts(other, base) == []


def test_facts_of_people_that_nothing_compares_yet() -> None:
    rest = {one.name for one in fields(Person)} - set(ELSEWHERE)
    assert rest == {"totp", "guests"}


HARMLESS = [
    "server: {listen: '127.0.0.1:1'}", "server: {timezone: Asia/Tokyo}", "server: {banner: x}",
    "server: {version_addendum: x}", "server: {host_keys: {directory: /x}}", "server: {state: /x}",
    "server: {accounts: system, worker_user: x}", "crypto: {profile: strict}", "crypto: {ciphers: [aes256-ctr]}",
    "crypto: {rekey: {bytes: 5MiB, interval: 5m}}", "limits: {startups: {start: 1, rate: 1%, full: 2}}",
    "limits: {auth_attempts: 1, login_grace: 1s, sessions_per_connection: 1, connections: 1}",
    "crypto: {min_rsa_bits: 3000}", "server: {owner: alice, sandbox: best_effort, isolation: shared}",
    "server: {accounts: system, min_uid: 5}", "networks: {n: 10.0.0.0/8}", "login: [{methods: password}]",
    "grants: [{who: alice, allow: {pty: true}}]",
    "server: {accounts: system}\nsources: [{system: {min_uid: 5}, password: system}]",
    "sources: [{command: [/x, '{user}']}]", f"authorities: {{ca: {{keys: ['{KEYS[3]}']}}}}",
    "server: {accounts: system}\ngrants: [{who: 'system-group:x', allow: {pty: true}}]",
]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_compared_part_by_part_or_gives_no_access(text: str) -> None:
    base = side("")
    other = side(f"{text}\n")
    assert other.ruleset != base.ruleset
    assert list(unknown_settings(other, base)) == list(unknown_settings(base, other)) == []
    places = Side(replace(base.ruleset, files=("/x",), folders=("/x",), outside=("/x",), version="x"))
    assert list(unknown_settings(places, base)) == []


def test_what_is_compared_elsewhere_is_left_to_it() -> None:
    base = load()
    fewer = replace(base, settings=Settings(limits=Limits(auth_attempts=2)))
    assert told(base, fewer) == told(fewer, base) == []


AUTHORITY = f'authorities: {{ca: {{keys: ["{KEYS[3]}"]}}}}\n'
PERMITTED = "grants: [{who: alice, allow: {pty: true}}]\n"


def side(more: str, people: str = PEOPLE) -> Side:
    return Side(load_text(people + more, "p.yaml", language=True).ruleset)


def test_logins_by_certificate() -> None:
    twice = AUTHORITY + "login: [{methods: [certificate+publickey, password]}]\n"
    same = side(twice + PERMITTED)
    assert list(uncompared_logins(same, side(twice + PERMITTED.replace("{who", "{name: other, who")))) == []
    others = [side(twice), side(twice + PERMITTED, PEOPLE.replace("bob: {groups: ops, ", "bob: {"))]
    others.append(side(AUTHORITY + PERMITTED + "login: [{methods: certificate}]\n"))
    others.append(side(twice.replace("ca:", "other:") + PERMITTED))
    for other in others:
        assert list(uncompared_logins(same, other)) == [
            Wider("logins by two certificates, which are not compared", "authorities", "authorities", sure=False)
        ]
    assert list(uncompared_logins(side(PERMITTED), side(""))) == []
    # Whoever could not log in so has lost nothing that is not known.
    before = side(AUTHORITY + PERMITTED + "login: [{methods: certificate}]\n")
    words = "logins by two certificates, which are not compared"
    both = difference(before, same)
    assert [words in {change.what for change in changes} for changes in (both.gained, both.lost)] == [True, False]
    assert {change.what for change in both.gained} == {words, "login by password"}
    # By one certificate they are.
    assert list(uncompared_logins(side(AUTHORITY), side(AUTHORITY + PERMITTED))) == []


def test_facts_of_authorities_that_are_not_known() -> None:
    base = load()
    before, after = (
        Side(replace(base, authorities={"ca": LaterAuthority("ca", revoked=revoked)})) for revoked in ("a", "")
    )
    assert [one.what for one in unknown_authorities(after, before)] == ["authorities.ca.revoked is another one"]
    assert list(unknown_authorities(after, after)) == []
    assert list(unknown_authorities(after, Side(base))) == []


def test_facts_of_people_that_are_not_known() -> None:
    one, other = LaterPerson("alice", accounts=("alice",)), LaterPerson("alice", accounts=("alice",), token="two")
    assert unknown_facts(one, other) == ["token"]
    assert unknown_facts(one, one) == []
    base = load()
    before, after = (replace(base, people={"alice": person}) for person in (one, other))
    (change,) = difference(Side(before), Side(after)).gained
    assert (change.people, change.what, change.sure) == (("alice",), "token is another one", False)


def test_people_whose_names_nobody_knows() -> None:
    base = load()
    guests = [replace(base, people={"guest": Person("guest", groups=frozenset(groups))}) for groups in ((), ("ops",))]
    (change,) = difference(Side(guests[0]), Side(guests[1])).gained
    assert change.what == "anything: whoever comes under a name that nobody has"
    assert difference(Side(guests[0]), Side(guests[0])).gained == ()


def test_what_a_login_entry_sets() -> None:
    base = load()
    (entry,) = base.login
    before, after = (
        replace(base, login=(LaterEntry(1, "p.yaml:1", entry.conditions, entry.chains, keepalive=keepalive),))
        for keepalive in (1, 2)
    )
    found = difference(Side(before), Side(after)).gained
    assert {(change.what, change.sure) for change in found} == {("what the login entry sets for the connection", False)}
    # Another number, place, condition or chain is no other setting.
    elsewhere = replace(before.login[0], number=2, where="x:1", chains=(("publickey",), ("publickey", "password")))
    nobody = replace(entry, conditions=Conditions((Account("account: nobody", frozenset(["nobody"])),)))
    moved = replace(before, login=(nobody, elsewhere))
    told_of = {change.what for change in difference(Side(before), Side(moved)).gained}
    assert "what the login entry sets for the connection" not in told_of


def test_a_method_that_is_not_known_is_in_everybody_s_power() -> None:
    base = load()
    (entry,) = base.login
    more = replace(base, login=(replace(entry, chains=(("publickey", "dance"),)),))
    assert difference(Side(base), Side(more)).gained == ()
    assert {change.what for change in difference(Side(more), Side(base)).gained} == {"login by publickey"}
    dance = replace(base, login=(replace(entry, chains=(("dance",),)),))
    assert {change.what for change in difference(Side(more), Side(dance)).gained} == {"login by dance"}
