"""What the tests of requests that reach beyond the session share."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.query import IPAddress, Query, Request, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.verbs import read_request
from tests.policy.support import PEOPLE, facts

OWN = frozenset([ip_address("10.0.0.5"), ip_address("fd00::5")])


def language(more: str, people: str = PEOPLE) -> Ruleset:
    return load_text(people + more, "p.yaml", language=True).ruleset


def policy(allow: str, deny: str = "", more: str = "") -> Ruleset:
    """What alice is allowed and denied."""
    denied = f", {{name: d, who: alice, deny: {{{deny}}}}}" if deny else ""
    return language(f"{more}grants: [{{name: g, who: alice, allow: {{{allow}}}}}{denied}]")


def ask(
    ruleset: Ruleset, request: Request, own: frozenset[IPAddress] | Unknown = OWN, trace: bool = False, **known: Any
) -> Decision:
    return decide(ruleset, Query(replace(facts(**known), own_addresses=own), request), trace=trace)


def allowed(ruleset: Ruleset, texts: str, own: frozenset[IPAddress] | Unknown = OWN) -> list[str]:
    """Which of some requests, parted by commas, are allowed."""
    return [text for text in texts.split(", ") if ask(ruleset, read_request(text), own).allowed]
