"""A policy of several files: what it comes to is what one file with all of it would come to."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysshd.policy import include as include_module
from pysshd.policy.decide import decide
from pysshd.policy.diff import difference
from pysshd.policy.diff_sessions import Side
from pysshd.policy.include import MAX_FILES, finder_of, folders_of, includes_of
from pysshd.policy.load import Loaded, load_text
from pysshd.policy.model import SECTIONS
from pysshd.policy.model_include import GRANTING, INCLUDABLE, MAIN_ONLY
from pysshd.policy.nodes import Mapping, Node, Scalar, Sequence
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Query
from pysshd.policy.report import Report, Source
from pysshd.policy.text import MAX_BYTES
from pysshd.policy.tree import MAX_NODES, read_tree
from tests.policy.documents import DOCUMENTS, QUERIES, Entry, document
from tests.policy.support import HASH, KEYS

USERS = 'version: 1\ninclude: [{files: "users.d/*.yaml", may: users}]\n'


def alice(key: int = 0) -> str:
    return f'users: {{alice: {{keys: ["{KEYS[key]}"]}}}}\n'


def load(main: str, included: dict[str, str], *, language: bool = False) -> Loaded:
    return load_text(main, "p.yaml", included=included, language=language)


def refused(main: str, included: dict[str, str] | None) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_text(main, "p.yaml", included=included)
    return [str(problem) for problem in caught.value.problems if problem.severity == "error"]


# --- the law: one document, however it is cut


def flow(node: Node) -> str:
    """A tree as text again."""
    if isinstance(node, Scalar):
        return node.text if node.plain else json.dumps(node.text)
    if isinstance(node, Sequence):
        return f"[{', '.join(map(flow, node.items))}]"
    assert isinstance(node, Mapping)
    return f"{{{', '.join(f'{flow(key)}: {flow(value)}' for key, value in node.entries)}}}"


def pieces(tree: Mapping) -> Iterator[tuple[str, str]]:
    """Sections that may stand elsewhere, each in the smallest parts that it can be cut into."""
    for key, node in tree.entries:
        if key.text in INCLUDABLE and isinstance(node, Sequence):
            yield from ((key.text, f"[{flow(item)}]") for item in node.items)
        elif key.text in INCLUDABLE and isinstance(node, Mapping):
            yield from ((key.text, f"{{{flow(name)}: {flow(value)}}}") for name, value in node.entries)


@st.composite
def cut(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """A document, and the same one cut into files."""
    text = document(*draw(DOCUMENTS))
    tree = read_tree(Source("p.yaml", text), Report())
    assert tree is not None
    main = [f"{key.text}: {flow(node)}" for key, node in tree.entries if key.text in MAIN_ONLY]
    files = []
    for section, body in pieces(tree):
        # A section stands once in a file, so that each part has a file of its own.
        files.append(f"{section}: {body}\n")
    names = draw(st.permutations([f"d/{number}.yaml" for number in range(len(files))]))
    may = ", ".join(INCLUDABLE)
    main.append(f'include: [{{files: "d/*.yaml", may: [{may}]}}]')
    return text, "\n".join(main) + "\n", dict(zip(names, files, strict=True))


@given(cut(), st.lists(QUERIES, min_size=1, max_size=10))
@settings(max_examples=60)
@pytest.mark.security("S123")
def test_a_document_that_is_cut_into_files_decides_as_before(
    drawn: tuple[str, str, dict[str, str]], queries: list[Query]
) -> None:
    text, main, included = drawn
    try:
        whole = load_text(text, "p.yaml", language=True)
    except PolicyError:
        # In which words depends on which of two entries comes first.
        with pytest.raises(PolicyError):
            load(main, included, language=True)
        return
    parts = load(main, included, language=True)
    for query in queries:
        one, other = decide(whole.ruleset, query), decide(parts.ruleset, query)
        assert (one.allowed, one.way, one.bounds, one.valid_until) == (
            other.allowed, other.way, other.bounds, other.valid_until)  # fmt: skip


@given(DOCUMENTS)
@settings(max_examples=20)
def test_nobody_gains_and_nobody_loses_by_it(drawn: tuple[str, list[Entry]]) -> None:
    text = document(*drawn)
    head, _, grants = text.partition("grants:\n")
    main = f"{head}include: [{{files: grants.yaml, may: grants}}]\n"
    try:
        whole = load_text(text, "p.yaml", language=True)
    except PolicyError:
        return
    parts = load(main, {"grants.yaml": f"grants:\n{grants}"}, language=True)
    found = difference(Side(whole.ruleset, whole.key_files), Side(parts.ruleset, parts.key_files))
    assert (found.gained, found.lost) == ((), ())


# --- what is joined


def test_every_section_is_of_the_main_file_or_may_be_elsewhere() -> None:
    assert {*MAIN_ONLY, *INCLUDABLE} == set(SECTIONS)
    assert not set(MAIN_ONLY) & set(INCLUDABLE)
    assert set(INCLUDABLE) > GRANTING


def test_sections_of_all_files_are_one() -> None:
    main = """\
version: 1
include:
  - {files: "d/*.yaml", may: [users, groups, networks, roles, grants, tests, user_defaults]}
groups: ops
users: {bob: {groups: [ops, dba], keys: ["%s"]}}
user_defaults: {home: /srv/bob}
""" % KEYS[1]  # noqa: UP031
    found = load(main, {
        "d/a.yaml": f"groups: dba\nnetworks: {{office: 10.0.0.0/8}}\n{alice()}"
                    "user_defaults: {not_after: 2030-01-01}\n",
        "d/b.yaml": "roles: {ls: {exec: ls, confined: true}}\ngrants: [{who: group:dba, from: office, roles: ls}]\n",
        "d/c.yaml": "tests: [{as: bob, from: 10.0.0.1, login: publickey, at: '2027-01-01T00:00Z', "
                    "allow: [{exec: ls}]}]\n",
    })  # fmt: skip
    assert set(found.ruleset.people) == {"alice", "bob"}
    assert found.ruleset.people["bob"].home == "/srv/bob"
    assert found.ruleset.people["bob"].window.end is not None
    assert [(grant.name, grant.where) for grant in found.ruleset.grants] == [("grant 1 of d/b.yaml", "d/b.yaml:2")]
    assert [verdict.passed for verdict in found.verdicts] == [True]


def test_grants_without_a_name_have_one_of_their_own_whatever_other_files_there_are() -> None:
    main = 'version: 1\ninclude: [{files: "d/*", may: grants}]\nusers: {alice: {accounts: a}}\n'
    main += "grants: [{who: alice, deny: all}]\n"
    deny = "grants: [{who: alice, deny: all}, {name: x, who: alice, deny: all}, {who: alice, deny: all}]\n"
    found = load(main, {"d/b": deny, "d/a": "grants: [{who: alice, deny: all}]\n"})
    names = [grant.name for grant in found.ruleset.grants]
    assert names == ["grant 1", "grant 1 of d/a", "grant 1 of d/b", "x", "grant 3 of d/b"]
    assert [grant.number for grant in found.ruleset.grants] == [1, 2, 3, 4, 5]


def test_a_path_is_relative_to_the_file_that_it_stands_in() -> None:
    main = (
        'version: 1\ninclude: [{files: ["d/*.yaml", e/u.yaml], may: users}]\nusers: {carol: {keys: [{file: c.pub}]}}\n'
    )
    found = load(main, {
        "d/a.yaml": "users: {alice: {keys: [{file: a.pub}, {file: ../x/a.pub}]}}\n",
        "e/u.yaml": "users: {bob: {keys: [{file: /k/b.pub}], totp: {secret_file: t}}}\n",
    }, language=True)  # fmt: skip
    assert found.document.key_files() == ("c.pub", "d/a.pub", "x/a.pub", "/k/b.pub")
    assert found.ruleset.people["bob"].totp == "e/t"


def test_json_is_welcome_in_each_file() -> None:
    text = json.dumps({"users": {"alice": {"keys": [KEYS[0]]}}})
    assert set(load(USERS, {"users.d/a.yaml": text}).ruleset.people) == {"alice"}


def test_two_main_files_over_the_same_others() -> None:
    shared = {"users.d/a.yaml": alice()}
    for listen in ("127.0.0.1:2222", "127.0.0.1:22"):
        found = load(f"{USERS}server: {{listen: '{listen}'}}\n", shared)
        assert (found.ruleset.settings.server.listen[0].name, *found.ruleset.people) == (listen, "alice")


# --- which files


def names_of(pattern: str, *files: str) -> list[str]:
    return [found.path for found in finder_of("p.yaml", dict.fromkeys(files, ""))(pattern)]


def test_patterns() -> None:
    files = ("d/a.yaml", "d/b.yaml", "d/.c.yaml", "d/a.yaml~", "d/x/a.yaml", "e/a.yaml", "d/ab.yaml")
    assert names_of("d/*.yaml", *files) == ["d/a.yaml", "d/ab.yaml", "d/b.yaml"]
    assert names_of("d/?.yaml", *files) == ["d/a.yaml", "d/b.yaml"]
    assert names_of("?/a.yaml", *files) == ["d/a.yaml", "e/a.yaml"]
    assert names_of("*/x/*", *files) == ["d/x/a.yaml"]
    assert names_of("d/.*", *files) == ["d/.c.yaml"]
    assert names_of("d/*.none", *files) == []
    assert names_of("*.yaml", *files) == ["p.yaml"]
    found = list(finder_of("p.yaml", {})("d/a.yaml"))
    assert [one.content for one in found] == ["it can not be opened: No such file or directory"]


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ('"users.d/*.yaml"', ("/etc/pysshd/users.d",)),
        ('[a.yaml, "*.yaml", "../x/y.yaml"]', ("/etc/pysshd", "/etc/x")),
        ('"teams/*/users.yaml"', ("/etc/pysshd/teams",)),
        ('"/*.yaml"', ("/",)),
        ('"/a*/b/c.yaml"', ("/",)),
    ],
)
def test_folders_in_which_files_are_looked_for(files: str, folders: tuple[str, ...]) -> None:
    report = Report()
    tree = read_tree(Source("/etc/pysshd/p.yaml", f"include: [{{files: {files}, may: users}}]\n"), report)
    assert tree is not None
    node = tree.get("include")
    assert node is not None
    assert folders_of(includes_of(node, report)) == folders


def test_a_policy_that_is_no_file_includes_none() -> None:
    assert refused(USERS, None) == ["p.yaml:2:10: include in a policy that is no file: there is no folder to look in"]


def test_a_pattern_with_no_match_is_fine() -> None:
    assert load(USERS, {}).ruleset.people == {}


# --- bounds


def test_as_many_files_as_there_may_be() -> None:
    files = {f"users.d/{number}.yaml": f"users: {{u{number}: {{accounts: a}}}}\n" for number in range(MAX_FILES)}
    assert len(load(USERS, files).ruleset.people) == MAX_FILES
    files["users.d/more.yaml"] = "users: {more: {accounts: a}}\n"
    main = f'{USERS.rstrip()[:-1]}, {{files: "*/1.yaml", may: users}}]\n'
    assert refused(main, files) == [f"p.yaml:2:19: the policy has more than {MAX_FILES} included files"]


def test_too_many_files_are_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it is said, for the rest is not looked for."""
    monkeypatch.setattr(include_module, "MAX_FILES", 2)
    main = USERS.replace("}]", '}, {files: ["users.d/b.yaml", "none.yaml"], may: users}]')
    files = {f"users.d/{name}.yaml": f"users: {{{name}: {{accounts: a}}}}\n" for name in "abcde"}
    assert refused(main, files) == ["p.yaml:2:19: the policy has more than 2 included files"]
    few = {name: files[name] for name in ("users.d/a.yaml", "users.d/b.yaml")}
    assert refused(main, few) == [
        "p.yaml:2:59: file users.d/b.yaml is included twice, the first time as users.d/b.yaml (each file of a policy "
        "is read once)",
        "p.yaml:2:59: the policy has more than 2 included files",
    ]
    assert set(load(USERS, few).ruleset.people) == {"a", "b"}


@pytest.mark.security("S123")
def test_as_much_text_as_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{alice()}#"
    monkeypatch.setattr(include_module, "MAX_TOTAL", len(USERS) + len(text))
    assert load(USERS, {"users.d/a.yaml": text}).ruleset.people
    assert refused(USERS, {"users.d/a.yaml": f"{text}#"}) == [
        f"p.yaml:2:19: the policy has more than {len(USERS) + len(text)} bytes in all of its files"
    ]


def test_one_file_is_no_longer_than_the_main_one() -> None:
    long = {"users.d/a.yaml": alice() + "#" * MAX_BYTES}
    size = len(long["users.d/a.yaml"])
    assert refused(USERS, long) == [f"users.d/a.yaml: the file has {size} bytes, expected at most {MAX_BYTES}"]


@pytest.mark.security("S123")
def test_bombs_of_many_files_are_refused_by_what_they_come_to() -> None:
    half = f"groups: [{'a,' * (MAX_NODES // 2)}]\n"
    main = 'version: 1\ninclude: [{files: "d/*.yaml", may: groups}]\n'
    found = refused(main, {f"d/{number}.yaml": half for number in range(3)})
    assert "d/1.yaml:1:" in "\n".join(found)
    assert f"the policy has more than {MAX_NODES} texts, lists and mappings" in "\n".join(found)
    assert not [line for line in found if line.startswith("d/2.yaml")]


# --- versions, warnings, order


def test_the_version_is_of_all_files_and_not_of_their_names() -> None:
    first = load(USERS, {"users.d/a.yaml": alice()}).ruleset.version
    assert load(USERS, {"users.d/b.yaml": alice()}).ruleset.version == first
    assert load(USERS, {"users.d/a.yaml": alice(1)}).ruleset.version != first
    assert load(USERS, {}).ruleset.version != first


@pytest.mark.parametrize("section", INCLUDABLE)
def test_a_file_that_may_grant_is_warned_of(section: str) -> None:
    main = f'version: 1\ninclude: [{{files: "d/*.yaml", may: [tests, {section}]}}, {{files: "e/*", may: users}}]\n'
    expected = [f"p.yaml:2:44: warning: these files may hold {section}: whoever writes one of them may grant (keep "
                "that in the main file, or guard them as you guard that)"]  # fmt: skip
    found = [str(problem) for problem in load(main, {}).warnings]
    assert found == (expected if section in GRANTING else [])


def test_a_warning_names_all_that_grants() -> None:
    main = 'version: 1\ninclude: [{files: "d/*.yaml", may: [users, roles, grants, sources]}]\n'
    (problem,) = load(main, {}).warnings
    assert "these files may hold roles, grants or sources: whoever" in problem.message


@pytest.mark.parametrize(
    ("name", "entry", "warned"),
    [
        ("root", "{groups: ops}", True),
        ("root", "{accounts: web}", False),
        ("bob", "{accounts: [bob, root]}", True),
        ("bob", "{run_as: root}", True),
        ("bob", "{run_as: web, accounts: web}", False),
    ],
)
def test_root_of_an_included_file_is_warned_of(name: str, entry: str, warned: bool) -> None:
    host = "server: {accounts: system}\nsources: [{system: {min_uid: 1000}, password: system}]\n"
    main = f"{USERS}{host}groups: ops\n"
    person = f"users: {{{name}: {entry}}}\n"
    expected = [
        f"users.d/a.yaml:1:9: warning: {name} of an included file has the account root (write that in the main file)"
    ]
    found = [str(problem) for problem in load(main, {"users.d/a.yaml": person}).warnings]
    assert [line for line in found if "included" in line] == (expected if warned else [])
    assert not [one for one in load(main + person, {}).warnings if "included" in one.message]


def test_root_of_an_included_file_is_a_name_like_others_where_sessions_are_the_daemons_user() -> None:
    assert load(USERS, {"users.d/a.yaml": f'users: {{root: {{keys: ["{KEYS[0]}"]}}}}\n'}).warnings == ()


def test_problems_come_file_by_file_and_the_main_one_first() -> None:
    main = 'version: 1\ninclude: [{files: "*/*.yaml", may: users}]\nusers: {x: {keys: y}}\n'
    found = refused(main, {"z/a.yaml": "users: {a: {keys: y}}\n", "a/b.yaml": "users: {b: {keys: y}}\n"})
    assert [line.partition(":")[0] for line in found] == ["p.yaml", "a/b.yaml", "z/a.yaml"]


def test_a_secret_of_an_included_file_is_masked() -> None:
    with pytest.raises(PolicyError) as caught:
        load(USERS, {"users.d/a.yaml": f"users: {{alice: {{password: '{HASH}', group: x}}}}\n"})
    (problem,) = caught.value.problems
    assert problem.file == "users.d/a.yaml"
    assert HASH[20:] not in problem.render()
    assert "*" * 20 in problem.source_line
