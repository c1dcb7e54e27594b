"""The engine beside a plain reading of the same ruleset (oracle.py): one answer, however it is come by."""

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Facts, Query, Request, Session
from pysshd.policy.ruleset import Ruleset
from tests.policy import oracle
from tests.policy.documents import DOCUMENTS, REQUESTS, Entry, conditions, document, likely_facts
from tests.policy.support import PEOPLE

many = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=30)

ROLES = """\
server: {owner: alice}
roles:
  shell: {shell: true, exec: any, pty: true, confined: true}
  words: {exec: [ls, "ls *", [x, {path_under: "/srv/{user}"}]], env: {accept: LANG, set: {A: "{user}"}}, confined: true}
  mail: {subsystems: {mail: [x]}, env: {accept: "LC_*"}, signals: [INT], confined: true}
  git: {exec: [{profile: scp, paths: /srv}, {literal: "a;b"}], umask: "027", confined: true}
"""
EFFECTS = st.one_of(
    st.lists(st.sampled_from(["shell", "words", "mail", "git"]), unique=True, min_size=1, max_size=2).map(
        lambda names: f"roles: [{', '.join(names)}]"
    ),
    st.sampled_from(
        ["roles: shell, limits: {idle: 15m}", "roles: words, limits: {idle: 5m}, record: on",
         "roles: mail, allow: {pty: true}", "bound: {limits: {lifetime: 8h}}", "bound: {record: on}", "deny: all",
         'deny: {exec: "ls *"}', "deny: {signals: INT}", "deny: {pty: true}", "deny: {env: {accept: LANG}}"]
    ),
)  # fmt: skip


@st.composite
def shared_roles(draw: st.DrawFn) -> str:
    """A document in which many grants give the same roles under the same conditions, as in every large one."""
    some = [draw(conditions(windows=True)) for _ in range(2)]
    lines = []
    for number in range(draw(st.integers(4, 12))):
        body = dict(draw(st.sampled_from(some)))
        body["who"] = draw(st.sampled_from(["alice", "bob", "group:ops", "group:dba", "[group:ops, group:dba]",
                                            '"*"', "key:laptop", "[bob, group:dba]"]))  # fmt: skip
        keys = ", ".join(f"{key}: {value}" for key, value in body.items())
        unless = ", unless: {account: git}" if draw(st.integers(0, 4)) == 0 else ""
        lines.append(f"  - {{name: g{number}, {keys}{unless}, {draw(EFFECTS)}}}\n")
    return PEOPLE + ROLES + "grants:\n" + "".join(lines)


RUNNING = REQUESTS.filter(lambda request: isinstance(request, oracle.JUDGED))
ASKED = st.lists(st.tuples(likely_facts(), RUNNING), min_size=4, max_size=8)


def accepted(text: str) -> Ruleset:
    """The ruleset, where the document is accepted."""
    try:
        return load_text(text, language=True).ruleset
    except PolicyError:
        assume(False)
        raise


def agrees(ruleset: Ruleset, facts: Facts, request: Request) -> bool:
    """Hold the engine to the plain reading; whether it was allowed."""
    query = Query(facts, request)
    person = ruleset.people[facts.person or ""]
    assume(facts.account in person.accounts)
    wanted, found = oracle.judge(ruleset, person, query), decide(ruleset, query)
    assert found.allowed is wanted.allowed, found
    if found.allowed and not isinstance(request, Session) and wanted.ways:
        assert {found.way} == wanted.ways
    if found.allowed:
        assert (found.bounds.limits, found.bounds.record) == (wanted.limits, wanted.record)
        assert found.reason.split(" ")[0] in wanted.names
    return found.allowed


@many
@given(shared_roles(), ASKED)
def test_grants_that_share_roles_and_conditions(text: str, asked: list[tuple[Facts, Request]]) -> None:
    ruleset = accepted(text)
    for facts, request in asked:
        agrees(ruleset, facts, request)


@many
@given(DOCUMENTS, ASKED)
def test_grants_of_every_key(drawn: tuple[str, list[Entry]], asked: list[tuple[Facts, Request]]) -> None:
    ruleset = accepted(document(*drawn))
    for facts, request in asked:
        agrees(ruleset, facts, request)
