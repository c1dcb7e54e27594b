"""`with`: the methods that the login used."""

import pytest

from pysshd.policy.query import Pty, Step
from tests.policy.support import FINGERPRINTS, PASSWORD, ask, load

KEY, SECOND = Step("publickey", FINGERPRINTS[0]), Step("publickey", FINGERPRINTS[1])


@pytest.mark.parametrize(
    ("chains", "methods", "held"),
    [
        ("publickey", (KEY,), True),
        ("publickey", (PASSWORD,), False),
        ("publickey", (PASSWORD, KEY), True),
        ("publickey+password", (KEY,), False),
        ("publickey+password", (PASSWORD, KEY), True),
        ("[password, publickey+publickey]", (KEY,), False),
        ("[password, publickey+publickey]", (KEY, SECOND), True),
        ("[password, publickey+publickey]", (PASSWORD,), True),
    ],
)
def test_every_step_of_one_chain(chains: str, methods: tuple[Step, ...], held: bool) -> None:
    ruleset = load(f"grants: [{{who: alice, with: {chains}, allow: {{pty: true}}}}]")
    assert ask(ruleset, Pty("xterm"), methods=methods).allowed is held


def test_unless_with() -> None:
    ruleset = load("grants: [{who: alice, unless: {with: password}, allow: {pty: true}}]")
    assert ask(ruleset, Pty("xterm")).allowed
    assert not ask(ruleset, Pty("xterm"), methods=(KEY, PASSWORD)).allowed
