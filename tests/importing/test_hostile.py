"""Whatever a file holds, it is read as sshd cuts it, or it is trouble with a line; nothing else is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pysshd.importing.authorized_keys import read_authorized_keys
from pysshd.importing.globbing import address_in, place
from pysshd.importing.importer import Sources, import_policy
from pysshd.importing.keywords import KEYWORDS
from pysshd.importing.language import Language
from pysshd.importing.notes import Remarks, SshdConfigError
from pysshd.importing.sshd_config import parse_sshd_config
from pysshd.importing.yaml_text import block, scalar
from pysshd.patterns.hosts import AddressError
from pysshd.policy.load import load_text
from pysshd.policy.nodes import Mapping, Scalar
from pysshd.policy.report import Report, Source
from pysshd.policy.tree import read_tree
from tests.importing.ground import HOST, SIMULATED, key

WORDS = st.sampled_from(
    ["User", "Group", "Address", "All", "alice", "10.0.0.0/8", "!", "*", '"', "'", "\\", "#", "=", "yes", "no", "none",
     "any", "22", "a@b", "x@10.0.0.0/33", "10.0.0.1/8", "::1/0", "1h", "{", "}", "%u", "\x0c", "\x1c", "é", "\u2028"]
)  # fmt: skip
LINES = st.builds(
    lambda keyword, words: " ".join([keyword, *words]),
    st.sampled_from([*(one.name for one in KEYWORDS.values()), "Match", "Include", "Nonsense"]),
    st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=4),
)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_a_configuration_is_read_or_is_trouble(text: str) -> None:
    try:
        found = parse_sshd_config(text, "f", lambda path: [], Remarks())
    except SshdConfigError as error:
        named = error.mark.file
    else:
        named = found.file
    assert named == "f"


FREE = st.builds(
    lambda keyword, words: " ".join([keyword, *words]),
    st.sampled_from(
        ["HostKey", "HostCertificate", "AuthorizedKeysFile", "ChrootDirectory", "SetEnv A=", "AcceptEnv",
         "Subsystem x", "VersionAddendum", "ForceCommand", "ListenAddress", "Ciphers", "MACs", "PermitOpen",
         "PermitListen", "AllowUsers", "DenyGroups", "AuthenticationMethods", "Match User", "Match Group",
         "PubkeyAcceptedAlgorithms", "RevokedKeys", "Banner", "MaxAuthTries", "MaxSessions", "RekeyLimit",
         "LoginGraceTime", "MaxStartups", "Port", "RequiredRSASize", "PerSourceMaxStartups"]
    ),
    st.lists(st.one_of(WORDS, st.text(max_size=8), st.integers(0, 99999).map(str)), min_size=1, max_size=2),
)  # fmt: skip
"""Lines with whatever may stand behind their keywords."""


@settings(max_examples=150, deadline=None)
@given(st.lists(FREE, max_size=3).map("\n".join))
def test_what_is_read_becomes_a_policy_that_can_be_read(text: str) -> None:
    try:
        made = import_policy(Sources(text, "f", lambda path: [], HOST), Language(), lambda path: None)
    except SshdConfigError:
        return
    load_text(made.policy, language=True)
    assert made.complete == all(one.kind == "note" for one in made.remarks)


@given(st.text(max_size=60), st.sampled_from(["", "restrict", 'command="x"', 'from="*"']))
def test_a_line_of_keys_gives_a_key_or_is_named(text: str, option: str) -> None:
    remarks = Remarks()
    found = read_authorized_keys(f"{option}{text} {key(1).line}", "keys", "alice", "UTC", remarks)
    lines = [line for line in f"{option}{text} {key(1).line}".split("\n") if line.strip(" \t\r")]
    named = {one.mark.line for one in remarks.all}
    assert len(found) <= len(lines)
    assert found or named or all(line.lstrip(" \t\r").startswith("#") for line in lines)


@given(st.text(alphabet="0123456789.*?:abcdef!/", max_size=12))
def test_a_pattern_that_stands_for_prefixes_matches_what_sshd_matches(pattern: str) -> None:
    """What is known of a stretch of addresses is so of each address in it."""
    try:
        place(pattern.removeprefix("!"))
    except AddressError:
        return
    for simulated in SIMULATED[:8]:
        address = simulated.connection.address
        known = address_in(address, [pattern], False)
        assert known in (None, address_in(address, [pattern], True))


@given(st.text(max_size=40))
def test_a_text_is_written_so_that_it_is_read_again(text: str) -> None:
    written = "\n".join(block({"key": {"inner": text}}))
    report = Report()
    tree = read_tree(Source("f", written), report)
    if tree is None:
        # What no policy may hold is refused when the policy is read.
        assert report.errors
        return
    inner = tree.entries[0][1]
    assert isinstance(inner, Mapping)
    found = inner.entries[0][1]
    assert isinstance(found, Scalar)
    assert found.text == text
    assert scalar(text)


def test_a_line_ends_where_sshd_ends_it_and_nowhere_else() -> None:
    text = "PermitRootLogin no\nBanner a\x0bPermitRootLogin\u2028yes\n"
    found = parse_sshd_config(text, "f", lambda path: [], Remarks())
    assert [line.keyword.name for line in found.lines] == ["PermitRootLogin", "Banner"]


def test_a_name_of_a_file_can_not_add_lines_to_the_policy() -> None:
    sources = Sources("", "f\nserver: {}\n#", lambda path: [], HOST)
    made = import_policy(sources, Language(), lambda path: None)
    load_text(made.policy, language=True)
    assert "\nserver: {}\n" not in made.policy
