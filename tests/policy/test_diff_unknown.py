"""What a comparison does not know counts as a gain where it has changed."""

from dataclasses import dataclass, field, fields, replace

from pysshd.policy.authorities import Authority
from pysshd.policy.diff import difference
from pysshd.policy.diff_sessions import Side
from pysshd.policy.diff_unknown import uncompared_logins, unknown_authorities, unknown_facts, unknown_settings
from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.ruleset import LoginEntry, Ruleset
from pysshd.policy.settings import Limits, Server, Settings
from tests.policy.support import KEYS, PEOPLE, load


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
    return [one.what for one in unknown_settings(Side(new), Side(old))]


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
        (found,) = uncompared_logins(same, other)
        assert not found.sure
    assert list(uncompared_logins(side(PERMITTED), side(""))) == []
    # Whoever could not log in so has lost nothing that is not known.
    before = side(AUTHORITY + PERMITTED + "login: [{methods: certificate}]\n")
    words = "logins by two certificates, which are not compared"
    both = difference(before, same)
    assert [words in {change.what for change in changes} for changes in (both.gained, both.lost)] == [True, False]
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
    assert {change.what for change in found} == {"what the login entry sets for the connection"}


def test_a_method_that_is_not_known_is_in_everybody_s_power() -> None:
    base = load()
    (entry,) = base.login
    more = replace(base, login=(replace(entry, chains=(("publickey", "dance"),)),))
    assert difference(Side(base), Side(more)).gained == ()
    assert {change.what for change in difference(Side(more), Side(base)).gained} == {"login by publickey"}
    dance = replace(base, login=(replace(entry, chains=(("dance",),)),))
    assert {change.what for change in difference(Side(more), Side(dance)).gained} == {"login by dance"}
