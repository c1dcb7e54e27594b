"""Roles as they are written, who holds them, and the YAML that is written of nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.flow import quoted, write_flow
from pysshd.policy.load import load_text
from pysshd.policy.model import BUILT_IN
from pysshd.policy.nodes import Mapping, Node, Scalar, Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report, Source
from pysshd.policy.roles import BUILT_IN_TEXTS, Holding, roles_by_grant, roles_of
from pysshd.policy.tree import read_tree
from tests.policy.support import FINGERPRINTS, PEOPLE, loaded

POLICY = f"""\
server: {{owner: alice}}
roles:
  look: {{exec: ["ls *", {{literal: "a;b"}}], env: {{set: {{TOKEN: hunter2, A: "{{user}}"}}}}, confined: true}}
  unused: {{pty: true}}
grants:
  - {{name: shell, who: alice, roles: login-shell}}
  - {{name: many, who: ["group:ops", carol], from: 10.0.0.0/8, unless: {{with: password}}, roles: look,
      not_after: 2020-01-01}}
  - {{name: by-key, who: ["key:laptop", "key:{FINGERPRINTS[3]}"], roles: look}}
  - {{name: all, allow: {{pty: true}}}}
"""


def test_the_roles_of_a_policy_and_who_holds_them() -> None:
    found = loaded(POLICY)
    shell, look, unused = [role for role in roles_of(found.document, found.ruleset) if role.name in
                           ("login-shell", "look", "unused")]  # fmt: skip
    assert shell.holdings == (Holding("shell", "p.yaml:13", "who: alice", ("alice",), ()),)
    assert (shell.where, look.where, unused.where) == ("", "p.yaml:10", "p.yaml:11")
    assert unused.holdings == ()
    many, by_key = look.holdings
    assert many.people == ("alice", "bob", "carol")
    assert many.conditions == ("from: 10.0.0.0/8", "not_after: 2020-01-01", "unless: {with: password}")
    assert (by_key.who, by_key.people) == (f"who: [key:laptop, key:{FINGERPRINTS[3]}]", ("alice", "carol"))
    assert look.text == ('{exec: ["ls *", {literal: "a;b"}], env: {set: {TOKEN: "***", A: "{user}"}}, confined: true}')


def test_the_roles_of_each_grant() -> None:
    found = loaded(POLICY.replace("roles: look,", "roles: [look, unused],"))
    assert roles_by_grant(found.document, found.ruleset) == {
        "p.yaml:13": ("login-shell",), "p.yaml:14": ("look", "unused"), "p.yaml:16": ("look",)
    }  # fmt: skip


def test_without_a_policy_the_built_in_roles_are_told() -> None:
    assert [role.name for role in roles_of(None, None)] == list(BUILT_IN_TEXTS)


def test_every_built_in_role_has_its_text() -> None:
    assert set(BUILT_IN_TEXTS) == BUILT_IN


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_text_of_a_built_in_role_is_what_it_permits(name: str) -> None:
    text = f"roles: {{own: {BUILT_IN_TEXTS[name]}}}\ngrants:\n  - {{who: alice, roles: own}}\n"
    own, built_in = [
        load_text(f"{PEOPLE}server: {{accounts: system, worker_user: nobody}}\n{one}", language=True).ruleset.grants[0]
        for one in (text, f"grants:\n  - {{who: alice, roles: {name}}}\n")
    ]
    assert own.rights == built_in.rights


MARK = Mark("x", 1, 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORDS = st.sampled_from(
    ["null", "true", "no", "~", "22:22", "- x", "a: b", "*", "&a", "#", "{user}", "'", '"', "\\", ""]
)
SCALARS = st.builds(Scalar, st.one_of(TEXTS, WORDS), st.just(MARK), st.just(False))
NODES: st.SearchStrategy[Node] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: Sequence(tuple(items), MARK)),
        st.dictionaries(TEXTS, inner, max_size=3).map(
            lambda pairs: Mapping(tuple((Scalar(key, MARK, False), value) for key, value in pairs.items()), MARK)
        ),
    ),
    max_leaves=6,
)


def bare(node: Node | None) -> object:
    """What a node says, without places."""
    if isinstance(node, Mapping):
        return {key.text: bare(value) for key, value in node.entries}
    return [bare(item) for item in node.items] if isinstance(node, Sequence) else getattr(node, "text", None)


@given(NODES)
def test_what_is_written_of_nodes_is_read_as_the_same(node: Node) -> None:
    text = f'{{"x": {write_flow(node)}}}\n'
    report = Report()
    found = read_tree(Source("x", text), report)
    if '"***"' in text or report.refused:
        return
    assert found is not None
    assert bare(found.get("x")) == bare(node)


@pytest.mark.parametrize(
    "text",
    ["a", "a b", "*", "{user}", "\n", "\t", "\0", "\u2028", "\U0001f600", "caf\xe9", '"', "\\", "\x7f", "\u200b",
     "\U000e0001"],
)  # fmt: skip
def test_a_quoted_text_is_itself(text: str) -> None:
    report = Report()
    found = read_tree(Source("x", f"x: {quoted(text)}\n"), report)
    assert not report.refused
    assert found is not None
    assert bare(found.get("x")) == text
    assert quoted(text).isprintable()


@pytest.mark.parametrize(
    ("text", "said"),
    [("\0", r"\x00"), ("\xad", r"\xad"), ("\u0100\u200b", "\u0100" + r"\u200b"), ("\uffff", r"\uffff"),
     ("\U00010000", "\U00010000"), ("\U000e0001", r"\U000e0001"), ("\n\t", r"\n\t"), ('\\"', r"\\\"")],
)  # fmt: skip
def test_what_is_not_plain_to_see_is_escaped(text: str, said: str) -> None:
    assert quoted(text) == f'"{said}"'


def test_secrets_are_masked() -> None:
    node = Mapping(((Scalar("password", MARK), Scalar("hunter2", MARK)),), MARK)
    assert write_flow(node) == '{password: "***"}'
