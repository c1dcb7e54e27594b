"""What must hold of every policy of forwarding."""

from ipaddress import ip_address

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.policy.query import UNKNOWN, Connect, IPAddress, Listen, Request, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways_net import ListenWay
from tests.policy.documents import NET_REQUESTS
from tests.policy.support_net import OWN, ask, language

CONNECTS = ("*:*", "db*.corp:5432", "**.corp:*", "10.0.0.0/8:5432", "10.1.0.1:*", "[fd00::/8]:1-6000", "loopback:5432",
            "localhost:*", "link-local:80", "metadata:80", "multicast:*", "0.0.0.0/0:*", "[::/0]:22",
            "[64:ff9b::/96]:80", "office:*")  # fmt: skip
LISTENS = ("*:*", "*:9000", "loopback:9000-9100", "localhost:*", "127.0.0.1:9000", "10.0.0.0/8:9050-9060", "0.0.0.0:*",
           "[::]:9000", "office:9000")  # fmt: skip
SOCKETS = ("/run/{user}/*.sock", "/run/**", "/run/{key}/x", "{home}/x", "/run/alice/?.sock")


def _list(items: list[str]) -> str:
    return "[" + ", ".join(f"'{item}'" for item in items) + "]"


FORWARDS = st.fixed_dictionaries(
    {},
    optional={
        "local": st.lists(st.sampled_from(CONNECTS), min_size=1, max_size=3).map(_list),
        "remote": st.lists(st.sampled_from(LISTENS), min_size=1, max_size=3).map(_list),
        "local_unix": st.lists(st.sampled_from(SOCKETS), min_size=1, max_size=2).map(_list),
        "remote_unix": st.lists(st.sampled_from(SOCKETS), min_size=1, max_size=2).map(_list),
    },
).filter(bool)
GRANTS = st.lists(st.tuples(st.sampled_from(["allow", "allow", "deny"]), FORWARDS), min_size=1, max_size=4)
Drawn = list[tuple[str, dict[str, str]]]
OWN_ADDRESSES = st.sampled_from([OWN, frozenset(), frozenset([ip_address("10.1.0.1")]), UNKNOWN])
some = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def drawn_policy(grants: Drawn) -> Ruleset:
    lines = "".join(
        f"  - {{who: alice, {effect}: {{forward: {{{', '.join(f'{k}: {v}' for k, v in keys.items())}}}}}}}\n"
        for effect, keys in grants
    )
    return language("networks: {office: [10.9.0.0/16, 'fd00:9::/32']}\n" + (f"grants:\n{lines}" if lines else ""))


@some
@given(GRANTS, st.lists(NET_REQUESTS, min_size=20, max_size=30), OWN_ADDRESSES, st.integers(0, 3))
def test_order_denies_and_allows(
    grants: Drawn, requests: list[Request], own: frozenset[IPAddress] | Unknown, index: int
) -> None:
    whole = drawn_policy(grants)
    turned = drawn_policy(grants[::-1])
    fewer = drawn_policy([one for number, one in enumerate(grants) if number != index])
    removed = grants[index][0] if index < len(grants) else ""
    for request in requests:
        found = ask(whole, request, own)
        assert found.way == ask(turned, request, own).way
        if removed == "allow":
            assert found.allowed or not ask(fewer, request, own).allowed
        elif removed == "deny":
            assert ask(fewer, request, own).allowed or not found.allowed
        if found.allowed and own is UNKNOWN:
            assert ask(whole, request, frozenset()).allowed
            assert ask(whole, request, OWN).allowed


@some
@given(GRANTS, st.ip_addresses(v=4), st.sampled_from([22, 80, 5432, 9000]), OWN_ADDRESSES)
def test_the_forms_of_an_address_are_equal(
    grants: Drawn, address: IPAddress, port: int, own: frozenset[IPAddress] | Unknown
) -> None:
    ruleset = drawn_policy(grants)
    forms = [str(address), f"::ffff:{address}", f"64:ff9b::{address}", f"0:0:0:0:0:FFFF:{address}"]
    assert len({ask(ruleset, Connect(form, port), own).allowed for form in forms}) == 1
    resolved = {ask(ruleset, Connect("db1.corp", port, ip_address(form)), own).allowed for form in forms}
    assert len(resolved) == 1
    listening = {ask(ruleset, Listen(form, port), own).allowed for form in (forms[0], forms[1], forms[3])}
    assert len(listening) == 1


@some
@given(GRANTS, st.sampled_from([22, 80, 5432]), st.ip_addresses(), OWN_ADDRESSES)
def test_no_address_is_permitted_whose_name_may_not_be_looked_up(
    grants: Drawn, port: int, address: IPAddress, own: frozenset[IPAddress] | Unknown
) -> None:
    ruleset = drawn_policy(grants)
    for name in ("db1.corp", "a.b.corp", "localhost", "other"):
        if ask(ruleset, Connect(name, port, address), own).allowed:
            assert ask(ruleset, Connect(name, port), own).allowed


@some
@given(GRANTS, st.sampled_from(["", "localhost", "127.0.0.1", "10.1.0.1", "0.0.0.0", "::"]))
def test_every_port_that_may_be_taken_could_be_asked_for(grants: Drawn, address: str) -> None:
    ruleset = drawn_policy(grants)
    way = ask(ruleset, Listen(address, 0)).way
    ports = way.ports if isinstance(way, ListenWay) else ()
    edges = {edge for one in ports for edge in (one.first - 1, one.first, one.last, one.last + 1)} | {9000, 9055, 22}
    for port in edges & set(range(1, 65536)):
        assert ask(ruleset, Listen(address, port)).allowed is any(port in one for one in ports)


def test_the_properties_are_about_something() -> None:
    outcomes: list[bool] = []

    # What is drawn is held to here, not the code: the same each time, or chance alone would fail it.
    @settings(max_examples=100, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(GRANTS, st.lists(NET_REQUESTS, min_size=5, max_size=10))
    def draw(grants: Drawn, requests: list[Request]) -> None:
        assume(len(grants) > 1)
        ruleset = drawn_policy(grants)
        outcomes.extend(ask(ruleset, request).allowed for request in requests)

    draw()
    assert sum(outcomes) > 30
    assert len(outcomes) - sum(outcomes) > 30
