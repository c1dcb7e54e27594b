"""Profiles that bound less than they seem to: files that one lets a client write say what another program does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from pysshd.policy.clash import GrantsOf
from pysshd.policy.conditions import Account
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.profile import Parts, Profile, parts_of
from pysshd.policy.profiles import agree, copies, home_of, may_upload_hooks, may_write, roots_for
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Worlds

_Held: TypeAlias = tuple[Grant, ExecRight]


class ProfileCheck:
    """What profiles of a person do to each other, and what one does that nobody meant; each pair is told once.

    system: whether sessions run as accounts of the host.
    """

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark], *, system: bool) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._system = system
        self._told: set[tuple[str, str, str]] = set()

    def check(self, people: Sequence[Person], grants_of: GrantsOf) -> None:
        """Check everyone."""
        for person in people:
            found = list(_commands(grants_of(person)))
            for grant, right in found:
                self._filters(person, grant, right)
            writers = [(held, held[1].profile) for held in found if held[1].profile and may_write(held[1].profile)]
            for first, mine in writers:
                for second in found:
                    self._hooks(person, first, mine, second)
                    self._home(person, first, mine, second)

    def _hooks(self, person: Person, first: _Held, mine: Profile, second: _Held) -> None:
        """Git runs the hooks of a repository, whoever wrote them."""
        git = second[1].profile
        if (
            git is not None
            and may_upload_hooks(mine, git, person.name)
            and self._together("hooks", person, first, second)
        ):
            self._warn(
                first,
                f"{person.name} may write by {first[1]} into the repositories that git serves by {second[1].where}, "
                "and git runs what they say",
                "give them folders apart",
            )

    def _home(self, person: Person, first: _Held, mine: Profile, second: _Held) -> None:
        """Programs do what files of the home say, and git and borg are kept from those that we know alone."""
        other = second[1].profile
        reads = not second[1].is_any and (other is None or not copies(other))
        if reads and _holds_home(mine, person) and self._together("home", person, first, second):
            self._warn(
                first,
                f"{person.name} may write by {first[1]} into a home, and may run {second[1]} by {second[1].where}: "
                "many programs run what files of the home say",
                "give it folders that hold no home",
            )

    def _filters(self, person: Person, grant: Grant, right: ExecRight) -> None:
        """The server of rsync opens the files that a client's filters name, wherever they lie."""
        profile = right.profile
        if profile is None or profile.name != "rsync" or right.confined:
            return
        means_it = profile.is_everywhere and not profile.write_only
        if means_it or (self._system and _has_account_apart(grant, person)):
            return
        held = (grant, right)
        if not self._together("filters", person, held, held):
            return
        self._warn(
            held,
            f"{right} bounds what {person.name} transfers and not what rsync reads: its filters can be lines of any "
            "file that the account may read, and tell what they are",
            "give rsync an account of its own and name it in the grant, or run it confined",
        )

    def _together(self, what: str, person: Person, first: _Held, second: _Held) -> bool:
        told = (what, first[1].where, second[1].where)
        if told in self._told or self._worlds.together(person, [first[0].conditions, second[0].conditions]) is None:
            return False
        self._told.add(told)
        return True

    def _warn(self, held: _Held, what: str, hint: str) -> None:
        self._report.warning(self._mark(held), what, hint)

    def _mark(self, held: _Held) -> Mark:
        grant, right = held
        return self._marks.get(right.where) or self._marks[grant.where]


def _commands(grants: Sequence[Grant]) -> Iterator[_Held]:
    for grant in grants:
        for right in grant.rights.runs if grant.effect is Effect.ALLOW else ():
            if isinstance(right, ExecRight):
                yield grant, right


def _holds_home(writer: Profile, person: Person) -> bool:
    """Whether a profile reaches a home of the person's: what the file says of it, and where homes are by custom."""
    homes = [parts_of(home) for home in _homes(person)]
    return any(_reaches(root, home) for root in roots_for(writer, person.name) for home in homes)


def _homes(person: Person) -> Iterator[str]:
    if person.home is not None:
        yield person.home
    for account in (person.unix_name(name) for name in (person.name, *person.accounts)):
        yield home_of(account)


def _reaches(root: Parts, home: Parts) -> bool:
    """Whether a folder holds a home, or is one of the hidden ones in it, where settings are."""
    inside = root[len(home) :]
    return agree(root, home) and (not inside or inside[0].startswith((".", "{")))


def _has_account_apart(grant: Grant, person: Person) -> bool:
    """Whether the grant says as which account it runs, and that is not the person's own."""
    if person.run_as is not None:
        return person.run_as != person.name
    named = [one.accounts for one in grant.conditions.own if isinstance(one, Account)]
    return any(person.name not in accounts for accounts in named)
