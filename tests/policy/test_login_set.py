"""`set` of a login entry: it comes from the entry that decides, and from no other."""

import pytest

from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.login_settings import NO_SETTINGS, Keepalive, LoginSettings
from pysshd.policy.problems import PolicyError
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways import LoginWay
from tests.policy.support import PASSWORD, PEOPLE, key_step, login


def load(section: str) -> Ruleset:
    return load_text(PEOPLE + section, "p.yaml", language=True).ruleset


def settings(found: Decision) -> LoginSettings:
    assert isinstance(found.way, LoginWay)
    return found.way.settings


def test_every_key() -> None:
    ruleset = load(
        "login:\n"
        "  - methods: publickey\n"
        "    set: {keepalive: {interval: 30s, count: 5}, rekey: {bytes: 512MiB, interval: 30m}, sessions: 2,\n"
        "      log_level: debug, key_files: [~/.ssh/authorized_keys, '/etc/keys/{user}'],\n"
        "      key_options: [environment, no-touch-required], touch: [required, verified]}\n"
    )
    assert settings(login(ruleset, key_step())) == LoginSettings(
        Keepalive(30.0, 5),
        512 << 20,
        1800.0,
        2,
        "debug",
        ("~/.ssh/authorized_keys", "/etc/keys/{user}"),
        frozenset(["environment", "no-touch-required"]),
        frozenset(["required", "verified"]),
    )


def test_the_entry_that_decides_sets() -> None:
    ruleset = load(
        "login:\n"
        "  - {who: bob, methods: publickey, set: {keepalive: 10s}}\n"
        "  - {who: alice, methods: publickey+password, set: {sessions: 1}}\n"
        "  - {methods: publickey}\n"
    )
    assert settings(login(ruleset, key_step("bob"), person="bob")) == LoginSettings(keepalive=Keepalive(10.0))
    assert settings(login(ruleset, key_step())) == LoginSettings(sessions=1)
    assert settings(login(ruleset, key_step(), PASSWORD)) == LoginSettings(sessions=1)
    assert settings(login(ruleset, key_step("carol"), person="carol")) is NO_SETTINGS


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{keepalive: 0s}", "found '0s', expected a span of time longer than 0s and shorter than ten years"),
        ("{keepalive: {count: 3}}", "key 'interval' is missing"),
        ("{keepalive: {interval: 5s, count: 0}}", "found '0', expected a whole number from 1 to 100"),
        ("{sessions: 0}", "found '0', expected a whole number from 1 to 1000"),
        ("{sessions: many}", "found 'many', expected a whole number from 1 to 1000"),
        ("{log_level: verbose}", "found 'verbose', expected debug, info, notice, warning or error"),
        (
            "{key_files: keys}",
            "found 'keys', expected a path that begins with ~/ or with /, such as ~/.ssh/authorized_keys",
        ),
        (
            "{key_options: [enviroment]}",
            "found 'enviroment', expected environment, no-touch-required or cert-authority",
        ),
        ("{touch: maybe}", "found 'maybe', expected required or verified"),
        ("{rekey: {bytes: 1}}", "found '1', expected a size with its unit, such as 512KiB, 64MiB or 1GiB"),
        ("{}", "found an empty mapping, expected keys and values such as {keepalive: 60s}"),
        (
            "{keepalives: 30s}",
            (
                "unknown key 'keepalives', expected one of keepalive, rekey, sessions, log_level, "
                "key_files, key_options, touch"
            ),
        ),
    ],
)
def test_refused(written: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(f"login: [{{methods: publickey, set: {written}}}]")
    assert message in [problem.message for problem in caught.value.problems if problem.severity == "error"]


def test_set_beside_refuse() -> None:
    with pytest.raises(PolicyError) as caught:
        load("login: [{methods: publickey, who: bob}, {refuse: true, set: {sessions: 1}}]")
    assert "set beside refuse" in str(caught.value)


def test_it_is_not_served() -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(PEOPLE + "login: [{methods: publickey, set: {keepalive: 30s}}]")
    [problem] = caught.value.problems
    assert (problem.severity, problem.message) == ("unserved", "key 'keepalive' is not served yet by this version")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("keepalive: 30s", "key 'keepalive'"),
        ("rekey: {bytes: 512MiB}", "key 'rekey'"),
        ("sessions: 2", "key 'sessions'"),
        ("log_level: debug", "key 'log_level'"),
        ("key_files: ~/.ssh/authorized_keys", "key 'key_files'"),
        ("key_options: no-touch-required", "key option 'no-touch-required'"),
        ("key_options: environment", ""),
        ("touch: required", "key 'touch'"),
    ],
)
def test_each_key_that_is_not_served(written: str, key: str) -> None:
    text = f"{PEOPLE}login: [{{methods: publickey, set: {{{written}}}}}]\n"
    told = [(one.severity, one.message) for one in load_text(text, "p.yaml", language=True).warnings]
    assert told == ([("unserved", f"{key} is not served yet by this version")] if key else [])
