"""The policy that comes out does what sshd does, and never more: every configuration, every simulated connection."""

from functools import cache

import pytest

from pysshd.importing.importer import Imported, Sources, import_policy
from pysshd.importing.language import Language
from pysshd.policy.load import load_text
from pysshd.policy.ruleset import Ruleset
from tests.importing.asking import Answer, listener_of, of_policy, of_sshd
from tests.importing.ground import HOST, SIMULATED, Simulated, included, key, names, text_of
from tests.importing.test_effective import recorded

PEOPLE_KEYS = {"root": (key(1), key(2)), "git": (key(3), key(4))}
"""Keys of those whose files the source of people leaves out."""

CLOSED = {
    "match-address-wildcard": ["192.0.2.7"],  # a pattern that is no prefix
    "revoked": ["bob"],  # keys are closed where some of them are revoked
    "chroot": ["alice", "bob"],  # a shell in another root; SFTP in a folder of its own is another way to run
}
"""What has no equivalent, by a word of the connections that may be closed for it."""


@cache
def imported(name: str) -> Imported:
    keys = {user: [(f"{user}-keys", "\n".join(one.line for one in held))] for user, held in PEOPLE_KEYS.items()}
    sources = Sources(text_of(name), f"{name}.conf", included, HOST, keys)
    return import_policy(sources, Language(), lambda path: None)


@cache
def compiled(name: str) -> Ruleset:
    return load_text(imported(name).policy, f"{name}.yaml", language=True).ruleset


def asked(name: str, simulated: Simulated) -> tuple[Answer, Answer]:
    """What the policy does, and what sshd does."""
    ruleset = compiled(name)
    listeners = tuple((one.name, None if one.host in ("*", "0.0.0.0", "::") else one.host, one.port)
                      for one in ruleset.settings.server.listen)  # fmt: skip
    listener = listener_of(listeners, simulated)
    if not listener:
        return Answer(), Answer()
    keys = tuple(key.fingerprint for key in PEOPLE_KEYS.get(simulated.user, ()))
    theirs = of_sshd(recorded(name)[str(simulated)], simulated)
    return of_policy(ruleset, simulated, listener, keys), theirs


def has_password(simulated: Simulated) -> bool:
    """Accounts below the least uid have no password in a policy."""
    account = HOST.accounts.get(simulated.user)
    return account is not None and account.uid >= 1000


@pytest.mark.parametrize("name", names())
def test_nobody_gets_more_than_from_sshd(name: str) -> None:
    for simulated in SIMULATED:
        ours, theirs = asked(name, simulated)
        assert (str(simulated), ours.chains - theirs.chains) == (str(simulated), frozenset())
        assert (str(simulated), ours.allowed - theirs.allowed) == (str(simulated), frozenset())


@pytest.mark.parametrize("name", names())
def test_everybody_gets_what_sshd_gives(name: str) -> None:
    for simulated in SIMULATED:
        if not set(CLOSED.get(name, ())).isdisjoint(str(simulated).split()):
            continue
        ours, theirs = asked(name, simulated)
        wanted = frozenset(one for one in theirs.chains if has_password(simulated) or "password" not in one)
        assert (str(simulated), ours.chains) == (str(simulated), wanted)
        if wanted:
            assert (str(simulated), sorted(ours.allowed)) == (str(simulated), sorted(theirs.allowed))
            assert (str(simulated), ours.forced[-len(theirs.forced) :]) == (str(simulated), theirs.forced)


@pytest.mark.parametrize("name", names())
def test_the_tests_that_are_written_pass(name: str) -> None:
    loaded = load_text(imported(name).policy, f"{name}.yaml", language=True)
    verdicts = getattr(loaded, "verdicts", ())
    assert bool(verdicts) == Language().has_section("tests")
    assert [one for one in verdicts if not one.passed] == []


@pytest.mark.parametrize("name", names())
def test_what_is_written_is_a_policy_without_an_odd_word(name: str) -> None:
    """But for what follows from the configuration itself."""
    warnings = load_text(imported(name).policy, f"{name}.yaml", language=True).warnings
    odd = [str(one) for one in warnings if one.severity == "warning" and not any(word in one.message for word in MEANT)]
    assert odd == []


MEANT = ("IPv4", "bounds nothing")
"""Of what a configuration may well mean: places of one family, and forwarding beside a shell."""
