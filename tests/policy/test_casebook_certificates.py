"""Cases whose login is by certificate, and cases that hang on what the client calls itself."""

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from tests.policy.support import KEYS, PEOPLE

POLICY = f"""\
authorities:
  staff: {{keys: ["{KEYS[0]}"], accounts: {{deploy: [web], "{{principal}}": ["*"]}}}}
  robots: {{keys: ["{KEYS[1]}"], accounts: {{robot: [any]}}}}
login: [{{who: "*", methods: certificate}}]
grants:
  - {{who: "authority:staff", allow: {{pty: true, shell: [menu], confined: true}}}}
  - {{who: "extension:staff/permit-pty", allow: {{env: {{accept: LANG}}}}}}
"""


def failures(case: str, policy: str = POLICY) -> list[str]:
    text = f"{PEOPLE}{policy}tests: [{{from: 10.0.0.1, {case}}}]\n"
    (verdict,) = load_text(text, "p.yaml", language=True).verdicts
    return [failure.message for failure in verdict.failures]


@pytest.mark.parametrize(
    "case",
    [
        "as: dave, login: certificate, allow: [pty x, shell, env LANG=C]",
        "as: dave, account: deploy, login: certificate, certificate: {authority: staff}, allow: shell",
        "as: dave, account: deploy, certificate: {authority: staff, principals: other}, refused: certificate",
        "as: dave, certificate: {authority: staff, extensions: x}, login: certificate, allow: shell, deny: pty x",
        "as: dave, certificate: {authority: staff, key_id: erin}, refused: certificate",
        "as: bob, refused: publickey",
        "as: dave, account: robot, certificate: {authority: robots}, login: certificate, deny: shell",
        "as: dave, account: nobodys, certificate: {authority: robots}, refused: any",
    ],
)
def test_what_a_policy_does_passes(case: str) -> None:
    assert failures(case) == []


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("as: dave, certificate: {authority: stuff}, login: certificate", "unknown authority 'stuff'"),
        (
            "as: dave, certificate: {authority: staff}, login: publickey",
            "certificate beside publickey, which has none: it tests nothing",
        ),
        (
            "as: dave, account: robot, login: certificate",
            "case 1: the answer depends on the certificate, which the case does not say",
        ),
    ],
)
def test_what_a_case_must_say(case: str, message: str) -> None:
    policy = POLICY.replace("robot: [any]", 'robot: [any], "{principal}": ["*"]')
    with pytest.raises(PolicyError) as caught:
        failures(f"{case}, allow: shell", policy)
    assert message in [problem.message for problem in caught.value.problems]


CLIENT = 'grants:\n  - {who: bob, client: "OpenSSH_*", allow: {pty: true}}\n'


def test_what_hangs_on_the_client_says_which() -> None:
    case = "as: bob, login: publickey, allow: pty x"
    with pytest.raises(PolicyError, match="the answer depends on the client"):
        failures(case, CLIENT)
    deny = CLIENT.replace("allow: {pty", "deny: {pty")
    with pytest.raises(PolicyError, match="the answer depends on the client"):
        failures(case.replace("allow", "deny"), f"{deny}  - {{allow: {{pty: true}}}}\n")
    assert failures(f"{case}, client: SSH-2.0-OpenSSH_9.9", CLIENT) == []
    assert failures(case.replace("allow", "deny") + ", client: SSH-2.0-PuTTY_Release_0.83", CLIENT) == []
