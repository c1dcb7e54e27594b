"""People to whom a grant gives something, and who can never come to have it: no login entry admits them."""

from collections.abc import Iterable, Mapping, Sequence

from pysshd.policy.clash import GrantsOf
from pysshd.policy.conditions import FALSE, TRUE
from pysshd.policy.lint_grants import anyone
from pysshd.policy.lint_login import WORK_MAX
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.ruleset import Effect, LoginEntry
from pysshd.policy.steps import BY_KEY, Chain
from pysshd.policy.worlds import Signature, Worlds

_Kind = tuple[Signature, int | None, bool, bool, bool]
"""All of a person that says whether they are admitted."""


class NeverAdmitted:
    """Warns of people whom the file alone keeps out; what the host or an authority could say for them is not known."""

    def __init__(self, login: Sequence[LoginEntry], worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        """marks: of the people, by their names."""
        self._login = login
        self._entries = [entry.conditions for entry in login]
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._known: dict[_Kind, tuple[str, bool]] = {}
        self._left = WORK_MAX

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Look at everyone who has anything to log in with."""
        for person in people:
            if person.guests is not None or not (person.keys or person.has_password or person.totp):
                continue
            whos = [grant.conditions.who for grant in grants_of(person)
                    if grant.effect is Effect.ALLOW and not anyone(grant)]  # fmt: skip
            if not whos:
                continue
            why, refused = self._keeps_out(person)
            # Somebody of a group may be shut out on purpose; whoever has a grant of their own is not.
            if why and (not refused or any(who is not None and person.name in who.people for who in whos)):
                self._report.warning(
                    self._marks[person.name],
                    f"{person.name} can never log in, though a grant names them: {why}",
                    "add a login entry that admits them, or remove the grant",
                )

    def _keeps_out(self, person: Person) -> tuple[str, bool]:
        kind = (self._worlds.signature(person, self._entries), _keys_of(person), person.has_password,
                person.totp is not None, person.name in person.accounts)  # fmt: skip
        if kind not in self._known:
            self._known[kind] = self._tried(person)
        return self._known[kind]

    def _tried(self, person: Person) -> tuple[str, bool]:
        """What keeps them out, and whether that is meant; nothing where they might be admitted."""
        found: dict[str, bool] = {}
        for case in self._worlds.cases(person, self._entries):
            self._left -= len(self._login)
            if self._left < 0:
                return "", False
            entry = next((one for one in self._login if one.conditions.truth(case) is not FALSE), None)
            if entry is None:
                found["no login entry matches"] = False
            elif entry.refuse:
                found[f"{entry.where} refuses"] = True
            elif entry.conditions.truth(case) is not TRUE or _goes(person, entry, case.methods):
                return "", False
            else:
                wanted = " or ".join("+".join(chain) for chain in entry.chains)
                found[f"{entry.where} asks for {wanted}"] = False
        return ", ".join(found), bool(found) and all(found.values())


def _keys_of(person: Person) -> int | None:
    """How many keys the person has; None: a file may hold any number."""
    return len(person.keys) if not any(key.is_open for key in person.keys) else None


def _goes(person: Person, entry: LoginEntry, methods: Chain) -> bool:
    """Whether the person has what a chain of the entry asks for. methods: of the case; empty: any."""
    return any(_has(person, chain) for chain in entry.chains if methods in ((), chain))


def _has(person: Person, chain: Chain) -> bool:
    keys = _keys_of(person)
    if chain[0] not in BY_KEY and person.name not in person.accounts:
        return False  # nothing but a key says who comes under another name than their own
    return (
        (keys is None or chain.count("publickey") <= keys)
        and ("password" not in chain or person.has_password)
        and ("totp" not in chain or person.totp is not None)
        and "certificate" not in chain
    )
