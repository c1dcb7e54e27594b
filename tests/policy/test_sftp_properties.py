"""What must hold of SFTP in every document that is accepted, and what decides at a path beside an obvious model."""

from dataclasses import dataclass, replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.patterns.paths import parse_path
from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Exec, Facts, Query, Request, Session, Sftp, Subsystem
from pysshd.policy.rights_sftp import SftpRight, by_literal_start, with_implied
from pysshd.policy.ruleset import Ruleset
from tests.policy.documents import likely_facts
from tests.policy.sftp import load
from tests.policy.support import PASSWORD, ask, key_step

many = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=40)

PATTERNS = ("/", "/a", "/a/b", "/*", "/**", "/a*", "/a/**", "/a/*", "/?/b", "/a/?", "/b/**", "/a**")
RIGHTS = ("list", "stat", "download", "upload", "delete")
PATHS = ("/", "/a", "/a/b", "/a/b/c", "/b", "/b/b", "/c", "/ab", "/a/../b", "x")

PATH_RIGHTS = st.dictionaries(
    st.sampled_from(PATTERNS),
    st.lists(st.sampled_from([*RIGHTS, "all"]), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)
MOUNTS = st.dictionaries(
    st.sampled_from(["/", "/a", "/b/b"]),
    st.sampled_from(["/srv", "/srv", "/srv/{user}", "{home}", "/k/{key}"]),
    max_size=2,
)
OTHERS = st.sampled_from(
    ["subsystems: {sftp: [x]}, confined: true", "forced: [x], confined: true", "exec: any, confined: true",
     'exec: "scp -t *", confined: true', "pty: true"]
)  # fmt: skip
CONDITIONS = st.sampled_from(
    ["who: alice", "who: bob", 'who: "*"',
     "who: group:ops", "account: git", "from: 10.0.0.0/8", "not_after: 2026-11-24",
     "who: key:laptop", "unless: {account: git}", "with: password"]
)  # fmt: skip


LOGIN = 'login: [{who: bob, methods: publickey}, {who: "*", methods: publickey+password}]\n'


@st.composite
def complete_facts(draw: st.DrawFn) -> Facts:
    """Facts of a login that this section admits: of others no document says anything."""
    facts = draw(likely_facts())
    return replace(facts, methods=(facts.methods[0],) if facts.person == "bob" else (facts.methods[0], PASSWORD))


def _flow(mapping: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{key}": "{value}"' for key, value in mapping.items()) + "}"


def _paths(paths: dict[str, list[str]]) -> str:
    return "{" + ", ".join(f'"{pattern}": [{", ".join(rights)}]' for pattern, rights in paths.items()) + "}"


@st.composite
def trees(draw: st.DrawFn) -> str:
    """`sftp` of an allow."""
    parts = [f"paths: {_paths(draw(PATH_RIGHTS))}"]
    mounts = draw(MOUNTS)
    if mounts:
        parts.append(f"mounts: {_flow(mounts)}")
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"start: {draw(st.sampled_from(['/a', '/b']))}")
    return f"sftp: {{{', '.join(parts)}}}"


ALLOWS = st.tuples(CONDITIONS, st.one_of(trees(), trees(), trees(), OTHERS)).map(
    lambda drawn: f"{drawn[0]}, allow: {{{drawn[1]}}}"
)
DENIES = st.tuples(CONDITIONS, st.one_of(PATH_RIGHTS.map(_paths), st.none())).map(
    lambda drawn: f"{drawn[0]}, deny: {'all' if drawn[1] is None else f'{{sftp: {{paths: {drawn[1]}}}}}'}"
)


@dataclass(frozen=True)
class Document:
    """Allows, which have an index each, and denies."""

    allows: tuple[str, ...]
    denies: tuple[str, ...]

    def ruleset(self) -> Ruleset:
        """The ruleset, where the document is accepted."""
        entries = [*self.allows, *self.denies]
        text = "".join(f"  - {{{entry}}}\n" for entry in entries)
        try:
            return load(LOGIN + (f"grants:\n{text}" if entries else ""))
        except PolicyError:
            assume(False)
            raise


DOCUMENTS = st.builds(
    Document, st.lists(ALLOWS, min_size=1, max_size=4).map(tuple), st.lists(DENIES, max_size=2).map(tuple)
)
REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(Sftp, st.sampled_from([*RIGHTS, "all"]), st.sampled_from([path.encode() for path in PATHS])),
    st.builds(Sftp, st.sampled_from(RIGHTS), st.sampled_from([path.encode() for path in PATHS])),
    st.sampled_from([Subsystem("sftp"), Exec(b"scp -t /a"), Exec(b"scp -f /a"), Session()]),
)
ASKED = st.lists(st.builds(Query, complete_facts(), REQUESTS), min_size=10, max_size=20)


def outcome(found: Decision) -> tuple[object, ...]:
    return found.allowed, found.way, found.bounds, found.valid_until


@many
@given(DOCUMENTS, ASKED)
def test_every_query_gets_a_decision_and_none_clashes(document: Document, asked: list[Query]) -> None:
    ruleset = document.ruleset()
    for query in asked:
        found = decide(ruleset, query)
        assert found.decided_by != "a clash"
        assert found.allowed is (found.way is not None)
        assert found.reason.isprintable()
        assert outcome(decide(ruleset, query, trace=True)) == outcome(found)


@many
@given(DOCUMENTS, ASKED)
def test_order_never_matters(document: Document, asked: list[Query]) -> None:
    first = document.ruleset()
    second = Document(document.allows[::-1], document.denies[::-1]).ruleset()
    for query in asked:
        assert outcome(decide(first, query)) == outcome(decide(second, query))


@many
@given(DOCUMENTS, DENIES, ASKED)
def test_adding_a_deny_never_grants(document: Document, deny: str, asked: list[Query]) -> None:
    before = document.ruleset()
    after = Document(document.allows, (*document.denies, deny)).ruleset()
    for query in asked:
        one, two = decide(before, query), decide(after, query)
        assert one.allowed or not two.allowed
        assert not two.allowed or one.way == two.way


@many
@given(DOCUMENTS, st.integers(0, 3), ASKED)
def test_removing_an_allow_never_grants(document: Document, index: int, asked: list[Query]) -> None:
    assume(index < len(document.allows))
    before = document.ruleset()
    after = Document(document.allows[:index] + document.allows[index + 1 :], document.denies).ruleset()
    for query in asked:
        assert decide(before, query).allowed or not decide(after, query).allowed


def test_the_documents_that_are_drawn_allow_and_refuse() -> None:
    answers: list[tuple[type, bool]] = []

    # What is drawn is held to here, not the code: the same each time, or chance alone would fail it.
    @settings(max_examples=100, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS, ASKED)
    def draw(document: Document, asked: list[Query]) -> None:
        ruleset = document.ruleset()
        answers.extend((type(query.request), decide(ruleset, query).allowed) for query in asked)

    draw()
    for kind in (Sftp, Subsystem, Exec):
        assert answers.count((kind, True)) > 10
        assert answers.count((kind, False)) > 10


def obvious(paths: dict[str, list[str]], path: str) -> set[str]:
    """By hand: what matches, the longest of its literal starts, and what all with such a start permit."""

    def start(pattern: str) -> str:
        return pattern.split("*")[0].split("?")[0]

    matching = [pattern for pattern in paths if parse_path(pattern).matches(path)]
    longest = max((len(start(pattern)) for pattern in matching), default=0)
    rights = [set(paths[pattern]) for pattern in matching if len(start(pattern)) == longest]
    return {right for right in RIGHTS if rights and all(_gives(one, right) for one in rights)}


def _gives(rights: set[str], right: str) -> bool:
    return bool({"all", right} & rights) or (right == "stat" and bool({"list", "download"} & rights))


@given(PATH_RIGHTS, st.sampled_from(PATHS[:8]))
def test_the_longest_literal_start_decides(paths: dict[str, list[str]], path: str) -> None:
    compiled = [
        (parse_path(pattern), with_implied(RIGHTS if "all" in rights else rights)) for pattern, rights in paths.items()
    ]
    right = SftpRight((), by_literal_start(compiled), None, "p.yaml:1")
    assert {one for one in RIGHTS if right.permits(one, path)} == obvious(paths, path)


@given(PATH_RIGHTS, PATH_RIGHTS, st.sampled_from(PATHS[:8]), st.sampled_from(RIGHTS))
def test_permissions_unite(one: dict[str, list[str]], two: dict[str, list[str]], path: str, right: str) -> None:
    entries = [f"who: alice, allow: {{sftp: {{mounts: {{/: /srv}}, paths: {_paths(paths)}}}}}" for paths in (one, two)]
    query = Sftp(right, path.encode())
    both, *each = (Document(tuple(some), ()).ruleset() for some in (entries, entries[:1], entries[1:]))
    answers = [ask(ruleset, query, methods=(key_step(), PASSWORD)).allowed for ruleset in (both, *each)]
    assert answers[0] is any(answers[1:])
