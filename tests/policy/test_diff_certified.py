"""Which certificates a comparison tries: people, accounts, principals and extensions that two policies tell apart."""

import pytest

from pysshd.policy.diff_certificates import Certified
from pysshd.policy.diff_sessions import Side
from pysshd.policy.people import Person
from tests.policy.support import KEYS
from tests.policy.test_diff_certificates import side

NONE = ""
KEY_ID = f"authorities: {{staff: {{keys: ['{KEYS[2]}'], accounts: {{deploy: [web], '{{principal}}': ['*', adm]}}}}}}\n"
FILE = KEY_ID.replace(f"'{KEYS[2]}'", "{file: /ca.pub}")
PRINCIPAL = KEY_ID.replace("accounts:", "person: principal, accounts:").replace("[web]", "[web, alice, No]")
OTHER = KEY_ID.replace("staff", "other").replace(KEYS[2], KEYS[3])
PERSON = "grants: [{who: alice, account: git, allow: {pty: true}}]\n"
NAMED = "grants: [{who: ['principal:staff/ci', 'extension:staff/guest', dan], allow: {pty: true}}]\n"
ELSEWHERE = "grants: [{who: ['principal:other/ci', 'extension:other/guest'], allow: {pty: true}}]\n"


def pair(new: str, old: str) -> tuple[Side, Side]:
    return side(new, "new.yaml"), side(old, "old.yaml")


@pytest.mark.parametrize(
    ("new", "old", "told", "names"),
    [
        # Without an authority nobody comes by a certificate.
        (PERSON, KEY_ID + NAMED, "", ""),
        (KEY_ID + PERSON, NONE, "alice", "somebody-certified"),
        (KEY_ID + NAMED, NONE, "dan", "dan somebody-certified"),
        (KEY_ID, OTHER + ELSEWHERE, "", "somebody-certified"),
        # Where a principal is the person, every word that stands where a principal does may be one.
        (PRINCIPAL + NAMED, NONE, "* No adm alice ci dan deploy web {principal}",
         "No adm ci dan deploy somebody-certified web"),
        (KEY_ID + PERSON, PRINCIPAL, "* No adm alice deploy git web {principal}",
         "No adm deploy git somebody-certified web"),
    ],
)  # fmt: skip
def test_whom_a_certificate_may_name(new: str, old: str, told: str, names: str) -> None:
    found = Certified(*pair(new, old))
    assert " ".join(sorted(found.told())) == told
    assert " ".join(found.names()) == names


ZOE = Person("zoe", certified=True)


@pytest.mark.parametrize(
    ("new", "old", "who", "accounts"),
    [
        (PERSON, KEY_ID, "alice", ""),
        # Those that may be used, and of those that nothing tells apart one.
        (KEY_ID, KEY_ID, "alice", "alice deploy"),
        (KEY_ID, KEY_ID, "zoe", "adm deploy somebody-certified zoe"),
        (KEY_ID.replace(", adm", ""), NONE, "zoe", "deploy somebody-certified zoe"),
        (KEY_ID + PERSON, KEY_ID, "zoe", "adm deploy git somebody-certified zoe"),
        (KEY_ID + PERSON.replace("git", "[git, x]"), KEY_ID, "zoe", "adm deploy git somebody-certified zoe"),
        (KEY_ID + NAMED, KEY_ID, "zoe", "adm ci deploy somebody-certified zoe"),
        (KEY_ID, PRINCIPAL.replace("deploy:", "other:"), "zoe", "adm deploy other somebody-certified zoe"),
    ],
)
def test_accounts_that_a_certificate_may_open(new: str, old: str, who: str, accounts: str) -> None:
    sides = pair(new, old)
    entries = [grant.conditions for one in sides for grant in one.ruleset.grants]
    person, before = (one.ruleset.people.get(who) for one in sides)
    assert " ".join(Certified(*sides).accounts(person or ZOE, before, entries)) == accounts


@pytest.mark.parametrize(
    ("new", "old", "account", "fingerprints", "tried"),
    [
        (KEY_ID, NONE, "alice", "", ["alice: alice = nobody"]),
        (KEY_ID, KEY_ID, "alice", "", ["alice: alice = staff"]),
        # A file that was not read is the same by its path.
        (FILE, FILE, "alice", "", ["alice: alice = staff"]),
        (FILE, FILE.replace("/ca", "/other"), "alice", "", ["alice: alice = nobody"]),
        (KEY_ID, KEY_ID, "alice", "F", ["alice: alice = staff", "alice: alice F = staff"]),
        (KEY_ID, KEY_ID.replace("staff", "crew"), "alice", "", ["alice: alice = crew"]),
        # To the account of its name another word opens no way, and to deploy each of two does.
        (KEY_ID, KEY_ID, "deploy", "", ["alice: deploy = staff"]),
        (KEY_ID, KEY_ID.replace("web", "db"), "deploy", "",
         ["alice: deploy = staff", "alice: web = staff", "alice: db+deploy = staff", "alice: db+web = staff",
          "alice: deploy+web = staff", "alice: db+deploy+web = staff"]),
        (KEY_ID + NAMED, KEY_ID, "alice", "",
         ["alice: alice = staff", "alice: alice +guest = staff", "alice: alice+ci = staff",
          "alice: alice+ci +guest = staff"]),
        (KEY_ID, OTHER + ELSEWHERE, "alice", "", ["alice: alice = nobody"]),
        # What is asked of an authority by its name in either policy.
        (KEY_ID, KEY_ID.replace("staff", "crew") + NAMED.replace("staff", "crew"), "alice", "",
         ["alice: alice = crew", "alice: alice +guest = crew", "alice: alice+ci = crew",
          "alice: alice+ci +guest = crew"]),
        # The key id says nothing where the principal is the person, and the old policy may ask for it.
        (PRINCIPAL, PRINCIPAL, "deploy", "", ["alice: alice = staff"]),
        (PRINCIPAL, KEY_ID, "alice", "", ["alice: alice = staff", "somebody-certified-else: alice = nobody"]),
        (KEY_ID, PRINCIPAL, "alice", "", ["alice: alice = staff"]),
        (KEY_ID, PRINCIPAL, "deploy", "",
         ["alice: deploy = nobody", "alice: No+deploy = nobody", "alice: alice+deploy = nobody",
          "alice: No+alice+deploy = nobody"]),
    ],
)  # fmt: skip
def test_certificates_that_are_tried(new: str, old: str, account: str, fingerprints: str, tried: list[str]) -> None:
    assert told_of(new, old, account, fingerprints) == tried


def told_of(new: str, old: str, account: str, fingerprints: str) -> list[str]:
    """`KEY-ID: PRINCIPALS +EXTENSIONS FINGERPRINT = AUTHORITY`, with those extensions that permit nothing."""
    sides = pair(new, old)
    entries = [grant.conditions for one in sides for grant in one.ruleset.grants]
    person = sides[0].ruleset.people["alice"]
    found = []
    for now, was in Certified(*sides).factors(person, account, entries, fingerprints.split()):
        assert now.certificate is not None
        more = sorted(one for one in now.certificate.extensions if not one.startswith("permit-"))
        words = [
            f"{now.certificate.key_id}:",
            "+".join(sorted(now.certificate.principals)),
            *(f"+{one}" for one in more),
        ]
        before = was.certificate.authority if was is not None and was.certificate is not None else "nobody"
        found.append(" ".join([*words, *filter(None, [now.fingerprint]), "=", before]))
        assert (now.method, was is None or was.identity == now.identity) == ("certificate", True)
    return found
