"""Random documents for the properties: small, so that entries meet, and of every key that is served."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from hypothesis import strategies as st

from pysshd.policy.decide import decide
from pysshd.policy.query import (
    UNKNOWN,
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Facts,
    Global,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Query,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
)
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import begins
from tests.policy.support import FINGERPRINTS, PEOPLE

NAMES = ("alice", "bob", "carol")
STEPS = (*(Step("publickey", fingerprint) for fingerprint in FINGERPRINTS), Step("password"))

WHO = st.sampled_from(["alice", "bob", "carol", "group:ops", "group:dba", '"*"', "key:laptop", "[bob, group:dba]"])
FROM = st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", '"fd00::/8"', "[192.0.2.1, 10.0.0.0/9]"])
WITH = st.sampled_from(["publickey", "password", "publickey+password", "[publickey+publickey, password]"])


def conditions(windows: bool) -> st.SearchStrategy[dict[str, str]]:
    keys: dict[str, st.SearchStrategy[str]] = {
        "who": WHO,
        "account": st.sampled_from(["alice", "git"]),
        "from": FROM,
        "with": WITH,
        "listener": st.just('"[::1]:2222"'),
        "client": st.sampled_from(["x", '"*"', '"y*"']),
        "when": st.sampled_from(
            ["{days: mon-tue}", "{hours: 13:00-12:00}", "{days: wed, hours: 20:00-18:00, timezone: Asia/Tokyo}"]
        ),
    }
    if windows:
        keys |= {"not_before": st.just("2026-11-24"), "not_after": st.just("2026-11-25")}
    return st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries({key: keys[key] for key in chosen})
    )


def _flow(mapping: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + "}"


FORWARDS: dict[str, st.SearchStrategy[str]] = {
    "local": st.sampled_from(
        ['"*:*"', '"db*.corp:5432"', "10.0.0.0/8:5432", '["**.corp:*", "[fd00::/8]:1-6000"]', "loopback:5432",
         "[10.1.0.1:5432, localhost:*]", "link-local:*", "metadata:80"]
    ),
    "remote": st.sampled_from(['"*:*"', "loopback:9000-9100", "[127.0.0.1:9000, 10.0.0.0/8:9050-9060]", "loopback:*"]),
    "local_unix": st.sampled_from(['"/run/{user}/*.sock"', '"/run/**"', '"/run/{key}/x"', '"{home}/x"']),
    "remote_unix": st.sampled_from(['"/run/{account}/*"', '"/run/alice/?.sock"']),
}  # fmt: skip

PERMISSION_VALUES: dict[str, st.SearchStrategy[str]] = {
    "shell": st.sampled_from(["true", "[menu]"]),
    "exec": st.sampled_from(
        [
            "any",
            "ls",
            '"ls *"',
            "{literal: ls}",
            '["* -l", {literal: "a;b"}]',
            "[[ls, {enum: [x, y]}]]",
            '[[ls, {regex: "[a-x]+"}], [x, {path_under: "/srv/{user}"}]]',
            "{profile: scp, paths: /srv}",
            '{profile: scp, paths: ["/srv/{user}", "/srv/{key}"], relative_to: "/srv/{user}", read_only: true}',
            "{profile: borg, paths: /srv}",
            '{profile: borg, paths: "/srv/{key}", append_only: true}',
        ]
    ),
    "forced": st.sampled_from(["[serve]", '[serve, "{user}"]', '[serve, "{key}"]']),
    "subsystems": st.sampled_from(["{sftp: [x]}", "{sftp: [y], mail: [x]}"]),
    "pty": st.just("true"),
    "env": st.sampled_from(["{accept: [LANG]}", "{set: {A: x}}", '{set: {A: "{user}"}, accept: "LC_*"}']),
    "umask": st.sampled_from(["027", "0077"]),
    "working_folder": st.sampled_from(['"/srv/{user}"', '"/srv/{key}"', "/srv"]),
    "signals": st.sampled_from(["[INT]", "[KILL, BREAK]", "none"]),
    "forward": st.lists(st.sampled_from(sorted(FORWARDS)), unique=True, min_size=1, max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries({key: FORWARDS[key] for key in chosen}).map(_flow)
    ),
    "agent": st.just("true"),
    "x11": st.just("true"),
    "global_requests": st.sampled_from(["x", "[x, y@z]"]),
}


def _permissions(confined: bool) -> st.SearchStrategy[str]:
    def made(chosen: list[str]) -> st.SearchStrategy[str]:
        found = st.fixed_dictionaries({key: PERMISSION_VALUES[key] for key in chosen})
        if confined and {"shell", "exec", "forced", "subsystems"} & set(chosen):
            return found.map(lambda mapping: _flow(mapping | {"confined": "true"}))
        return found.map(_flow)

    return st.lists(st.sampled_from(sorted(PERMISSION_VALUES)), unique=True, min_size=1, max_size=2).flatmap(made)


@dataclass(frozen=True)
class Entry:
    """One grant as text."""

    name: str
    body: str
    effect: str

    def text(self, name: str | None = None) -> str:
        """The entry for a document."""
        return f"  - {{name: {name or self.name}, {self.body}}}\n"


@st.composite
def entries(draw: st.DrawFn, effects: tuple[str, ...] = ("allow", "allow", "deny")) -> Entry:
    """A grant."""
    effect = draw(st.sampled_from(effects))
    body = draw(conditions(windows=True))
    if draw(st.integers(0, 3)) == 0:
        unless = draw(conditions(windows=False))
        if unless:
            body["unless"] = _flow(unless)
    if effect == "allow":
        body["allow"] = draw(_permissions(confined=True))
    else:
        body["deny"] = draw(st.one_of(st.just("all"), _permissions(confined=False)))
    return Entry(f"g{draw(st.integers(0, 10**8))}", ", ".join(f"{key}: {value}" for key, value in body.items()), effect)


LOGINS = st.sampled_from(
    [
        "",
        'login: [{who: "*", methods: [publickey, password]}]\n',
        "login: [{from: 10.0.0.0/8, methods: publickey}, {methods: [publickey+password, password+publickey]}]\n",
        "login: [{who: bob, refuse: true}, {methods: publickey+publickey}]\n",
    ]
)
DOCUMENTS = st.tuples(LOGINS, st.lists(entries(), min_size=1, max_size=5, unique_by=lambda entry: entry.name))


def document(login: str, grants: list[Entry]) -> str:
    """The text of a document."""
    return PEOPLE + login + ("grants:\n" + "".join(entry.text() for entry in grants) if grants else "")


COMMANDS = st.sampled_from([b"ls", b"ls x", b"ls -l", b"a;b", b"ls; id", b"", b"\xff", b"x -l", b"x /srv/alice/x",
                            b"scp -f x", b"scp -t /srv/alice", b"borg serve", b"borg serve --debug"])  # fmt: skip
RUNS: st.SearchStrategy[Any] = st.one_of(
    st.just(Shell()), COMMANDS.map(Exec), st.sampled_from(["sftp", "mail", ""]).map(Subsystem)
)
ADDRESSES = st.sampled_from(
    [ip_address(text) for text in ("10.1.0.1", "10.200.0.1", "127.0.0.1", "::1", "169.254.169.254", "fd00::5",
                                   "::ffff:10.1.0.1", "64:ff9b::a01:1", "192.0.2.1")]
)  # fmt: skip
PORTS = st.sampled_from([0, 22, 80, 5432, 9000, 9055, 65536])
PATHS = st.sampled_from(["/run/alice/a.sock", "/run/bob/a.sock", "/run/a/b/c", "/run//x", "relative", "/run/../x"])
NET_REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(
        Connect,
        st.sampled_from(["db1.corp", "DB1.corp.", "a.b.corp", "localhost", "127.1", "10.1.0.1", "fd00::5", "", "x!"]),
        PORTS,
        st.none() | ADDRESSES,
    ),
    st.builds(Connect, ADDRESSES.map(str), PORTS),
    st.builds(Listen, st.sampled_from(["", "localhost", "0.0.0.0", "::", "127.0.0.1", "10.1.0.1", "db1.corp"]), PORTS),
    PATHS.map(ConnectUnix),
    PATHS.map(ListenUnix),
    st.builds(X11, st.booleans(), st.integers(0, 2)),
    st.just(Agent()),
)

REQUESTS: st.SearchStrategy[Request] = st.one_of(
    RUNS,
    RUNS,
    st.just(Session()),
    st.sampled_from(["xterm", "x\n"]).map(Pty),
    st.builds(Env, st.sampled_from(["LANG", "LC_ALL", "LD_PRELOAD", "A"]), st.sampled_from([b"C", b"\0"])),
    st.builds(Signal, st.sampled_from(["INT", "KILL", "X"]), RUNS),
    RUNS.map(Break),
    st.sampled_from(["keepalive@openssh.com", "x"]).map(Global),
    st.builds(Sftp, st.sampled_from(["list", "upload"]), st.sampled_from([b"/", b"/in/a", b"/../a"])),
    NET_REQUESTS,
    NET_REQUESTS,
    st.builds(Login, st.lists(st.sampled_from(STEPS), max_size=2).map(tuple), st.sampled_from(STEPS)),
)
SOURCES = st.sampled_from(
    [ip_address(text) for text in ("10.0.0.1", "10.1.0.1", "192.0.2.1", "fd00::1", "::ffff:10.0.0.1")] + [None, UNKNOWN]
)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACTS = st.builds(
    Facts,
    st.sampled_from(["alice", "bob", "carol", "git", "../x"]),
    st.sampled_from([*NAMES, *NAMES, "mallory", None]),
    SOURCES,
    st.sampled_from(["127.0.0.1:2222", "[::1]:2222"]),
    st.sampled_from(["SSH-2.0-x", "SSH-2.0-yz", UNKNOWN]),
    st.integers(0, 48).map(lambda hours: NOON + timedelta(hours=2 * hours)),
    st.lists(st.sampled_from(STEPS), max_size=2).map(tuple),
    own_addresses=st.sampled_from([UNKNOWN, frozenset(), frozenset([ip_address("10.1.0.1"), ip_address("fd00::5")])]),
)


@st.composite
def likely_facts(draw: st.DrawFn) -> Facts:
    """Facts of a login that could have been."""
    facts = draw(FACTS)
    person = draw(st.sampled_from(NAMES))
    key = {"alice": STEPS[draw(st.integers(0, 1))], "bob": STEPS[2], "carol": STEPS[3]}[person]
    methods = draw(st.sampled_from([(key,), (key, STEPS[4])])) if person != "bob" else (key,)
    account = draw(st.sampled_from([person, "git"])) if person != "bob" else person
    return replace(facts, account=account, person=person, methods=methods)


QUERIES = st.builds(Query, st.one_of(likely_facts(), likely_facts(), FACTS), REQUESTS)


def is_whole(ruleset: Ruleset, facts: Facts) -> bool:
    """Whether the steps are those of a login that the document lets be complete.

    Of others, say of a password where only keys count, the check for clashes knows nothing. Nobody is such a one: after
    a reload a login is asked again, and one of other steps ends.
    """
    used = tuple(step.kind for step in facts.methods)
    return any(len(used) == len(chain) and begins(used, chain) for entry in ruleset.login for chain in entry.chains)


def but_clashes(ruleset: Ruleset, asked: list[Query]) -> list[Query]:
    """These queries, but for those that clash and nobody could ask: one entry or one fact less may permit them."""
    return [one for one in asked if is_whole(ruleset, one.facts) or decide(ruleset, one).decided_by != "a clash"]
