"""Asks an imported policy about a simulated connection, and says what sshd's settings mean for the same."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from pysshd.policy.decide import decide
from pysshd.policy.people import Person
from pysshd.policy.query import Env, Exec, Facts, Login, Pty, Query, Request, Shell, Step, Subsystem, UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways import Forced, LoginWay
from tests.importing.ground import HOST, LOCALS, SFTP_SERVER, Simulated

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CHAINS = (
    ("publickey",),
    ("password",),
    ("publickey", "password"),
    ("password", "publickey"),
    ("publickey", "publickey"),
)
REQUESTS: dict[str, Request] = {
    "shell": Shell(),
    "exec": Exec(b"id | cat"),
    "sftp": Subsystem("sftp"),
    "netconf": Subsystem("netconf"),
    "pty": Pty("xterm"),
    "LANG": Env("LANG", b"C"),
    "LC_ALL": Env("LC_ALL", b"C"),
    "FOO": Env("FOO", b"x"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """chains: by which somebody comes in; allowed: what they may then do; forced: the words of the program."""

    chains: frozenset[tuple[str, ...]] = frozenset()
    allowed: frozenset[str] = frozenset()
    forced: tuple[str, ...] = ()


def of_policy(ruleset: Ruleset, simulated: Simulated, listener: str, keys: tuple[str, ...] = ()) -> Answer:
    """What the policy does. keys: fingerprints of the keys that are used, in their order."""
    facts = _facts(ruleset, simulated, listener)
    if facts is None:
        return Answer()
    person = facts.holder or ruleset.people[facts.person or ""]
    found = {chain: steps for chain in CHAINS if (steps := _comes_in(ruleset, facts, person, chain, keys))}
    if not found:
        return Answer()
    steps = next(iter(found.values()))
    facts = Facts(facts.account, facts.person, facts.source, facts.listener, facts.client, facts.now, steps,
                  facts.holder, facts.unix)  # fmt: skip
    decisions = {name: decide(ruleset, Query(facts, request)) for name, request in REQUESTS.items()}
    way = decisions["shell"].way
    forced = tuple(word.decode() for word in way.argv) if isinstance(way, Forced) else ()
    return Answer(frozenset(found), frozenset(name for name, one in decisions.items() if one.allowed), forced)


def _facts(ruleset: Ruleset, simulated: Simulated, listener: str) -> Facts | None:
    account = HOST.accounts.get(simulated.user)
    entry = ruleset.people.get(simulated.user)
    if account is None:
        return None
    held = account.groups & ruleset.system_groups
    unix = UnixFacts(account.name, account.uid, held, ruleset.system_groups - HOST.groups)
    of_source = ruleset.source is not None and account.uid >= ruleset.source.min_uid
    if not of_source and entry is None:
        return None
    holder = ruleset.source.person(account.name, entry) if of_source and ruleset.source is not None else None
    return Facts(account.name, entry.name if entry is not None else None, ip_address(simulated.source), listener,
                 "SSH-2.0-test", NOW, (), holder, unix)  # fmt: skip


def _comes_in(
    ruleset: Ruleset, facts: Facts, person: Person, chain: tuple[str, ...], keys: tuple[str, ...]
) -> tuple[Step, ...]:
    """The steps by which this chain is a whole login, or none."""
    done: tuple[Step, ...] = ()
    used = iter((*keys, "SHA256:one", "SHA256:two"))
    for number, method in enumerate(chain, 1):
        step = _step(person, next(used)) if method == "publickey" else Step("password")
        if step is None:
            return ()
        way = decide(ruleset, Query(facts, Login(done, step))).way
        if not isinstance(way, LoginWay) or way.complete != (number == len(chain)):
            return ()
        done = (*done, step)
    return done


def _step(person: Person, fingerprint: str) -> Step | None:
    """A step with a key: one that the person lists by this fingerprint, else any of a file."""
    inline = next((key for key in person.keys if key.fingerprint == fingerprint), None)
    found = inline or next((key for key in person.keys if key.file is not None), None)
    found = found or next(iter(person.keys), None)
    return Person.step(found, found.fingerprint or fingerprint) if found is not None else None


def of_sshd(settings: dict[str, list[str]], simulated: Simulated) -> Answer:
    """What sshd's settings mean, read anew from sshd_config(5) and from nothing of the importer."""
    account = HOST.accounts.get(simulated.user)
    if account is None or not _permitted(settings, simulated, account.groups):
        return Answer()
    chains = _chains(settings, account.uid == 0)
    if not chains:
        return Answer()
    forced, chroot = settings["forcecommand"][0], settings["chrootdirectory"][0]
    allowed: set[str] = set()
    if settings["maxsessions"] != ["0"]:
        allowed |= {"shell", "exec"}
        served = {line.split()[0] for line in settings.get("subsystem", [])}
        allowed |= {"sftp", "netconf"} if forced != "none" else served & {"sftp", "netconf"}
        allowed |= {"pty"} if settings["permittty"] == ["yes"] else set()
        patterns = settings.get("acceptenv", []) if forced == "none" else []
        allowed |= {name for name in ("LANG", "LC_ALL", "FOO") if any(fnmatchcase(name, one) for one in patterns)}
    words: tuple[str, ...] = ()
    if forced.split()[0] == "internal-sftp":
        words = (SFTP_SERVER, *forced.split()[1:])
    elif forced != "none":
        words = (forced,)
    # In another root a shell would see what no policy shows; SFTP alone shows a folder.
    sayable = chroot == "none" or forced.split()[0] == "internal-sftp"
    return Answer(frozenset(chains), frozenset(allowed) if sayable else frozenset(), words)


def _chains(settings: dict[str, list[str]], root: bool) -> set[tuple[str, ...]]:
    switches = {"publickey": "pubkeyauthentication", "password": "passwordauthentication"}
    on = {method for method, switch in switches.items() if settings[switch] == ["yes"]}
    if settings["authorizedkeysfile"] == ["none"] or settings["revokedkeys"] != ["none"]:
        on.discard("publickey")
    wanted = settings["authenticationmethods"][0].split()
    chains = {(one,) for one in on} if wanted == ["any"] else {tuple(one.split(",")) for one in wanted}
    chains = {chain for chain in chains if set(chain) <= on}
    if root:
        permitted = settings["permitrootlogin"][0]
        good = {"yes": {"publickey", "password"}, "without-password": {"publickey"}}.get(permitted, set[str]())
        chains = {chain for chain in chains if set(chain) <= good}
    return {one for one in chains if not any(one != other and one[: len(other)] == other for other in chains)}


def _permitted(settings: dict[str, list[str]], simulated: Simulated, groups: frozenset[str]) -> bool:
    def meant(pattern: str) -> bool:
        user, _, host = pattern.partition("@")
        return fnmatchcase(simulated.user, user) and (not host or _from(simulated.source, host.split(",")))

    if any(meant(one) for one in settings.get("denyusers", [])):
        return False
    if "allowusers" in settings and not any(meant(one) for one in settings["allowusers"]):
        return False
    if groups & set(settings.get("denygroups", [])):
        return False
    return "allowgroups" not in settings or bool(groups & set(settings["allowgroups"]))


def _from(source: str, patterns: list[str]) -> bool:
    def holds(pattern: str) -> bool:
        return ip_address(source) in ip_network(pattern) if "/" in pattern else fnmatchcase(source, pattern)

    return not any(one[0] == "!" and holds(one[1:]) for one in patterns) and any(holds(one) for one in patterns)


def listener_of(listeners: tuple[tuple[str, str | None, int], ...], simulated: Simulated) -> str:
    """The name of the listener that takes a connection: that of its very address, else that of its port."""
    exact = [name for name, address, port in listeners if (address, port) == (simulated.local, simulated.port)]
    every = [name for name, address, port in listeners if address is None and port == simulated.port]
    assert simulated.local in [local for local, _ in LOCALS]
    return next(iter([*exact, *every]), "")
