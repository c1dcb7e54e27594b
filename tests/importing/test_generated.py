"""Whatever a configuration with overlapping Match blocks says, the policy permits what sshd does, and no more."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pysshd.importing.effective import effective
from pysshd.importing.importer import Sources, import_policy
from pysshd.importing.language import Language
from pysshd.importing.notes import Remarks
from pysshd.importing.sshd_config import SshdConfig, parse_sshd_config
from pysshd.policy.load import load_text
from tests.importing.asking import listener_of, of_policy, of_sshd
from tests.importing.ground import HOST, SIMULATED, Simulated
from tests.importing.test_effective import USUAL, shown, unanswered
from tests.importing.test_policy import PEOPLE_KEYS, has_password

USERS = st.sampled_from(["alice", "bob", "carol", "dave", "root", "git", "!alice", "!bob", "*", "nobody-yet"])
GROUPS = st.sampled_from(["ops", "sftponly", "admins", "!ops", "!admins", "*", "git", "no-such-group"])
PLACES = st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "!10.1.2.0/24", "2001:db8::/32", "192.0.2.7", "10.1.*", "*"])
SETTINGS = st.sampled_from(
    ["PasswordAuthentication yes", "PasswordAuthentication no", "PubkeyAuthentication no", "PubkeyAuthentication yes",
     "AuthenticationMethods publickey", "AuthenticationMethods publickey,password",
     "AuthenticationMethods publickey,publickey password", "PermitTTY no", "PermitTTY yes", "AcceptEnv LANG",
     "AcceptEnv LC_* FOO", "ForceCommand /bin/true", "ForceCommand internal-sftp -R", "ForceCommand none",
     "PermitRootLogin yes", "PermitRootLogin no", "MaxSessions 0", "AuthorizedKeysFile none", "AllowUsers alice root",
     "AllowUsers bob@10.0.0.0/8 carol", "DenyUsers dave", "DenyUsers carol@10.1.*", "AllowGroups ops git",
     "DenyGroups admins", "RefuseConnection no"]
)  # fmt: skip


def lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=3, unique=True).map(",".join)


CRITERIA = st.one_of(
    lists(USERS).map(lambda text: f"User {text}"),
    lists(GROUPS).map(lambda text: f"Group {text}"),
    lists(PLACES).map(lambda text: f"Address {text}"),
    st.sampled_from(["LocalPort 22", "LocalPort 2222", "LocalAddress 192.0.2.100", "Invalid-User"]),
)
BLOCKS = st.builds(
    lambda criteria, lines: [f"Match {' '.join(criteria)}", *lines],
    st.one_of(st.just(["All"]), st.lists(CRITERIA, min_size=1, max_size=2, unique_by=lambda text: text.split()[0])),
    st.lists(SETTINGS, min_size=1, max_size=3),
)
PORTS = "Port 22\nPort 2222\nListenAddress 192.0.2.100\nListenAddress 192.0.2.101\n"
CONFIGS = st.builds(
    lambda lines, blocks: PORTS + "\n".join([*lines, *(line for block in blocks for line in block)]),
    st.lists(SETTINGS, max_size=3),
    st.lists(BLOCKS, max_size=4),
)
KEYS = {user: [(f"{user}-keys", "\n".join(one.line for one in held))] for user, held in PEOPLE_KEYS.items()}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONFIGS)
def test_the_policy_permits_what_sshd_does(text: str) -> None:
    made = import_policy(Sources(text, "generated", lambda path: [], HOST, KEYS), Language(), lambda path: None)
    loaded = load_text(made.policy, "generated.yaml", language=True)
    assert [one for one in getattr(loaded, "verdicts", ()) if not one.passed] == []
    ruleset = loaded.ruleset
    config = parse_sshd_config(text, "generated", lambda path: [], Remarks())
    listeners = tuple((one.name, one.host, one.port) for one in ruleset.settings.server.listen)
    for simulated in SIMULATED:
        listener = listener_of(listeners, simulated)
        theirs = of_sshd(USUAL | shown_of(config, simulated), simulated)
        keys = tuple(one.fingerprint for one in PEOPLE_KEYS.get(simulated.user, ()))
        ours = of_policy(ruleset, simulated, listener, keys)
        wanted = frozenset(one for one in theirs.chains if has_password(simulated) or "password" not in one)
        assert (str(simulated), ours.chains) == (str(simulated), wanted)
        if wanted:
            assert (str(simulated), ours.allowed) == (str(simulated), theirs.allowed)
            forced = theirs.forced if "shell" in theirs.allowed else ()
            assert (str(simulated), ours.forced[-len(forced) :]) == (str(simulated), forced)


def shown_of(config: SshdConfig, simulated: Simulated) -> dict[str, list[str]]:
    """The settings of one connection, as sshd shows them."""
    found = shown(effective(config, simulated.connection, unanswered))
    return {name: value for name, value in found.items() if value}
