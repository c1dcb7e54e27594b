"""Files: who may own and write them, what is in them, and that both of YAML's parsers say the same."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import StartupError
from pysshd.policy import tree
from pysshd.policy import tree as tree_module
from pysshd.policy.load import load_file, load_text
from pysshd.policy.problems import Mark, PolicyError, Problem
from pysshd.policy.report import Report, Source, is_secret_key, show
from pysshd.policy.text import MAX_BYTES
from tests.policy.support import KEYS, PEOPLE
from tests.policy.test_broken import CASES, FOLDER

ME = frozenset([os.geteuid()])


def policy(folder: Path, text: str = PEOPLE, mode: int = 0o600) -> str:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def refused(path: str, uids: frozenset[int] = ME) -> str:
    with pytest.raises(PolicyError) as caught:
        load_file(path, owner_uids=uids)
    return str(caught.value)


def test_a_file(tmp_path: Path) -> None:
    loaded = load_file(policy(tmp_path), owner_uids=ME)
    assert loaded.ruleset.people["alice"].where == f"{tmp_path}/policy.yaml:4"
    assert loaded.warnings == ()


def test_json_is_welcome(tmp_path: Path) -> None:
    text = f'{{"version": 1, "users": {{"alice": {{"keys": ["{KEYS[0]}"]}}}}}}'
    assert set(load_file(policy(tmp_path, text), owner_uids=ME).ruleset.people) == {"alice"}


def test_a_relative_name_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(tmp_path, "version: 1\nserver: {host_keys: {directory: keys}, state: state}\n")
    monkeypatch.chdir(tmp_path)
    server = load_file("policy.yaml", owner_uids=ME).ruleset.settings.server
    assert server.host_keys is not None
    assert (server.host_keys.directory, server.state) == (f"{tmp_path}/keys", f"{tmp_path}/state")


def fault(path: str, uids: frozenset[int] = ME) -> str:
    said, words = refused(path, uids).split(": ", 1)
    assert said == path
    return words


def test_files_that_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert fault(str(missing)) == "the file can not be opened: No such file or directory"
    assert fault(str(tmp_path)) == "it is not a regular file"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    assert fault(str(fifo)) == "it is not a regular file"
    assert fault("/dev/zero") == "it is not a regular file"
    writable = "the file has mode {} and others may write to it: chmod go-w it"
    assert fault(policy(tmp_path, mode=0o620)) == writable.format("0620")
    assert fault(policy(tmp_path, mode=0o602)) == writable.format("0602")
    owner = os.geteuid() + 1
    words = f"the file is owned by uid {os.geteuid()}, expected {owner}"
    assert fault(policy(tmp_path), frozenset([owner])) == words
    assert fault(policy(tmp_path), frozenset([owner + 1, owner])) == f"{words} or {owner + 1}"
    assert "no such name is possible" in refused("a\0b")
    # A regular file of this user's, of which the first byte can not be read.
    assert fault("/proc/self/mem") == "the file can not be read: Input/output error"


def test_texts_lists_and_mappings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_NODES", 5)
    load_text("version: 1\ngroups: a\n")  # the whole, two names and two values
    with pytest.raises(PolicyError) as caught:
        load_text("version: 1\ngroups: [a]\n", "p.yaml")
    assert str(caught.value) == "p.yaml:2:10: the policy has more than 5 texts, lists and mappings"


def test_the_longest_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_TEXT", 7)
    load_text("version: 1\ngroups: [a234567]\n")
    with pytest.raises(PolicyError) as caught:
        load_text("version: 1\ngroups: [a2345678]\n", "p.yaml")
    assert str(caught.value) == "p.yaml:2:10: a text has 8 characters, expected at most 7"


@pytest.mark.security("S123")
def test_too_large(tmp_path: Path) -> None:
    assert f"expected at most {MAX_BYTES}" in refused(policy(tmp_path, "version: 1 #" + "x" * MAX_BYTES))
    load_file(policy(tmp_path, "version: 1 #" + "x" * (MAX_BYTES - 12)), owner_uids=ME)
    with pytest.raises(PolicyError, match=f"longer than {MAX_BYTES} bytes"):
        load_text("#" * (MAX_BYTES + 1))


def test_key_files_are_checked_too(tmp_path: Path) -> None:
    text = "version: 1\nusers:\n  alice: {keys: [{file: a.pub}]}\n"
    key = tmp_path / "a.pub"
    assert f"policy.yaml:3:25: key file {key}: the file can not be opened" in refused(policy(tmp_path, text))
    key.write_text("c2VjcmV0\n")
    key.chmod(0o600)
    found = refused(policy(tmp_path, text))
    assert "its line 1 is not" in found
    assert "c2VjcmV0" not in found
    key.write_text("#" * 300_000)
    assert "more than 262144 bytes" in refused(policy(tmp_path, text))
    key.write_text(KEYS[0] + "\n")
    load_file(policy(tmp_path, text), owner_uids=ME)
    key.chmod(0o666)
    assert "others may write to it" in refused(policy(tmp_path, text))


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("bad_escape", "latin1")])
def test_both_parsers_say_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    found = []
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        monkeypatch.setattr(tree_module, "_LOADER", loader)
        with pytest.raises(PolicyError) as caught:
            load_text(text, "x.yaml")
        found.append(str(caught.value))
    assert found[0] == found[1]


@pytest.mark.security("S123")
@given(
    st.one_of(
        st.text(), st.text("&*!|>{}[]:,#-?'\"%@` \n0a", max_size=40), st.binary().map(lambda b: b.decode("latin-1"))
    )
)
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_text("x: " + text, "x.yaml")
    assert isinstance(caught.value, StartupError)
    assert all(str(problem).isprintable() and problem.render() for problem in caught.value.problems)


@given(st.text("ab:{}[],- \n\"'&*!#|>?%@~01$", max_size=60))
def test_any_text_in_a_user_is_judged(text: str) -> None:
    try:
        load_text(f"version: 1\nusers:\n  alice: {text}\n", "x.yaml")
    except PolicyError as error:
        assert error.problems  # noqa: PT017


# Secrets in what is shown


@pytest.mark.parametrize(
    "key", ["password", "Password", "passwd", "passwrd", "pasword", "passphrase", "secret", "totp"]
)
def test_keys_of_secrets(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["keys", "groups", "not_after", "home", "accounts", "listen", "state"])
def test_keys_of_no_secrets(key: str) -> None:
    assert not is_secret_key(key)


def test_texts_in_messages() -> None:
    assert show("a\x1b\nb") == "'a\\x1b\\nb'"
    assert show("x" * 100) == repr("x" * 64 + "…")
    assert show("$6$salt$hash") == show("p=4$abcdefghijklmnop") == "'***'"


@pytest.mark.security("S120")
@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nusers:\n  a: {password: hunter2, colour: blue}\n",
        "version: 1\nusers:\n  a: {password: hunter2,hunter2: b}\n",
        "version: 1\nusers:\n  a: {password: hunter2,hunter2,hunter2}\n",
        "version: 1\nusers:\n  a:\n    password: |\n      hunter2\n      hunter2\n    colour: x\n",
        "version: 1\nusers:\n  a: {password: [hunter2, {x: hunter2}]}\n",
        'version: 1\nusers:\n  a: {password: "hunter2, x: y}\n',
        "version: 1\nusers:\n  a: {password: hunter2, x: y: z}\n",
        "version: 1\nusers:\n  a: {password: hunter2 <TAB>}\n",
        "version: 1\nusers:\n  a: {passwrod: hunter2}\n",
        'version: 1\nusers:\n  a: {"password": hunter2, "password": hunter2}\n',
        "version: 1\nusers:\n  a: {password: &hunter2 hunter2}\n",
        "version: 1\nusers:\n  a: {password: '$6$x$hunter2hunter2', x: 1}\n",
        "version: 1\nusers:\n  a: {colour: $6$x$hunter2hunter2}\n",
        "version: 1\nusers:\n  a: {keys: $argon2id$v=19$m=1,t=1,p=1$hunter2hunter2hunter2$hunter2}\n",
    ],
)
def test_no_line_shows_a_secret(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(text.replace("<TAB>", "\t"), "x.yaml")
    shown = "\n".join(problem.render() + repr(problem) for problem in caught.value.problems)
    assert "hunter2" not in shown


def test_a_long_line_is_cut_around_its_caret() -> None:
    problem = Problem("f", 1, 200, "m", source_line="x" * 300)
    _, line, caret = problem.render().split("\n")
    assert len(line) < 140
    assert caret.index("^") == 8 + 60


def test_a_problem_in_one_line() -> None:
    assert str(Problem("f", 1, 2, "m", "h")) == "f:1:2: m (h)"
    assert str(Problem("f", 0, 0, "m", severity="warning")) == "f: warning: m"
    assert str(Mark("f", 1, 2)) == "f:1:2"


def test_a_source_that_is_not_there() -> None:
    report = Report()
    report.error(Mark("f", 1, 1), "m")
    report.error(Mark("f", 1, 1), "m")
    assert [problem.source_line for problem in report.problems] == [""]
    assert Source("f", "a").shown(2) == ""
