"""People and permissions at a glance: who may do what, under which conditions, and by which lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from typing import Final

from pysshd.policy.conditions import TRUE, Account, Condition, Conditions, From, Who
from pysshd.policy.diff_certificates import STRANGER, Certified, TooManyError
from pysshd.policy.diff_rights import Atom, atoms, meets, touched_by
from pysshd.policy.diff_sessions import Factor, Side, admits, environments, factors, orders
from pysshd.policy.matrix_narrow import WHOLLY, taken_away
from pysshd.policy.people import ALWAYS, Person, Window, place_of
from pysshd.policy.query import UNKNOWN
from pysshd.policy.rights import ExecRight, ForcedRight, ShellRight, SubsystemRight
from pysshd.policy.rights_net import PlainRight
from pysshd.policy.ruleset import Effect, Grant, LoginEntry, Ruleset
from pysshd.policy.scene import held_steps
from pysshd.policy.steps import fits
from pysshd.policy.worlds import Worlds
from pysshd.records import dataclass

LOGIN: Final = "login"
YES, SOMETIMES, DENIED, NO = "yes", "sometimes", "denied", "no"
"""What a cell says: always, under conditions, allowed and then denied, not at all."""

ANYBODY: Final = "anybody of the host"
CERTIFIED: Final = "anybody with a certificate"
_SOMEBODY: Final = "some-account-of-the-host"
_ROOT: Final = "root"
_ORDER: Final = (LOGIN, "shell", "exec any", "exec", "forced")
_CASES_MAX: Final = 20_000
"""Cases in which a login is tried, for one person; beyond that it counts as one under conditions."""

Ranges = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of the policy that speaks of a cell.

    allows: else it denies. what: the permission, or the methods. conditions: in words; empty: always.
    where: `file:line`; name: of the grant.
    sources: whence it counts, as (version, first, last) of ranges; None: from anywhere. others: whence it does not.
    bare: it hangs on nothing but that. whole: it speaks of all that stands in the cell.
    """

    allows: bool
    what: str
    conditions: str
    where: str
    name: str
    sources: Ranges | None = None
    others: Ranges = ()
    bare: bool = True
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """What one person may do of one kind."""

    state: str = NO
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One person. where: `file:line`; window: when they may be here at all, in words; empty: always."""

    person: str
    groups: tuple[str, ...]
    where: str
    window: str
    cells: dict[str, Cell] = field(default_factory=dict)

    def cell(self, column: str) -> Cell:
        """What stands in a column."""
        return self.cells.get(column, _NOTHING)


_NOTHING: Final = Cell()


@dataclass(frozen=True, slots=True)
class Matrix:
    """People × permissions."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def matrix(side: Side) -> Matrix:
    """The matrix of an accepted policy. Who can never log in may do nothing, whatever grants say."""
    rows = tuple(_row(side, person, shown) for person, shown in _people(side))
    found = {column for row in rows for column in row.cells}
    known = [column for column in _ORDER if column in found or column == LOGIN]
    return Matrix((*known, *sorted(found - set(known))), rows)


def _people(side: Side) -> Iterator[tuple[Person, str]]:
    ruleset = side.ruleset
    asked = ruleset.asked
    for name in ruleset.people:
        person, alone = side.person(name), side.person(name, asked=False)
        assert person is not None
        assert alone is not None
        if asked is None or person.groups == alone.groups:
            yield person, name
        else:
            # Whether a program knows them says what they may do.
            yield alone, name
            yield person, f"{name} {asked.holders}"
    if ruleset.source is not None:
        yield ruleset.source.person(_SOMEBODY, None), ANYBODY
    if asked is not None:
        yield asked.person(_SOMEBODY, None), f"anybody {asked.holders}"
    for name in Certified(side, side).names():
        yield Person(name, certified=True), CERTIFIED if name == STRANGER else name


def _row(side: Side, person: Person, shown: str) -> Row:
    login = _login(side, person)
    cells = {LOGIN: login}
    if login.state != NO:
        cells |= _permissions(side.ruleset, person)
        cells = {column: _narrowed(side, person, column, cell) for column, cell in cells.items()}
    return Row(shown, tuple(sorted(person.groups)), place_of(person), _window(person.window), cells)


def _window(window: Window) -> str:
    if window is ALWAYS:
        return ""
    ends = ((word, at) for word, at in (("from", window.start), ("until", window.end)) if at is not None)
    return " ".join(f"{word} {at.isoformat(timespec='minutes')}" for word, at in ends)


# Logins


def _login(side: Side, person: Person) -> Cell:
    """Every chain by which the person gets in, in whatever case that could be."""
    entries = [entry.conditions for entry in side.ruleset.login]
    named = {one for entry in entries for condition in entry.all for one in getattr(condition, "fingerprints", ())}
    held = factors(side, person, named)
    certified = Certified(side, side)
    opened = certified.accounts(person, person, entries)
    found: dict[tuple[tuple[str, ...], LoginEntry], None] = {}
    always = True
    try:
        steps = {account: _steps(side, held, certified, person, account, entries) for account in (*opened, "")}
    except TooManyError:
        steps, always = {"": (list(orders(side, held)), frozenset())}, False
        found = _by_some_certificate(side, person)
    for count, (case, _) in enumerate(environments(side, side, person, person, entries, held, opened)):
        if count > _CASES_MAX:
            always = False
            break
        if case.source is UNKNOWN or not person.window.holds(case.now):
            continue
        if case.is_root is TRUE and not _may_be_root(person):
            continue
        ways, signed = steps.get(case.account, steps[""])
        by = {one: entry for one in ways if (entry := admits(side, person, case, one))}
        used = {step for one in by for step in one}
        # Whoever has no key has one certificate, and nobody knows which.
        known = any(not signed.intersection(one) for one in by)
        always = always and bool(by) and (known or signed <= used)
        chains = {(tuple(step.method for step in one), entry) for one, entry in by.items()}
        found |= dict.fromkeys(sorted(chains, key=lambda pair: (pair[1].number, pair[0])))
    reasons = tuple(
        _reason(True, "+".join(chain), entry.conditions, entry.where, f"login entry {entry.number}", person)
        for chain, entry in found
    )
    state = NO if not reasons else YES if always else SOMETIMES
    return Cell(state, reasons)


def _steps(
    side: Side,
    held: Sequence[Factor],
    certified: Certified,
    person: Person,
    account: str,
    entries: Sequence[Conditions],
) -> tuple[list[tuple[Factor, ...]], frozenset[Factor]]:
    """Every way through a chain, and the certificates among what is used. Raises TooManyError."""
    signed = [one for one, _ in certified.factors(person, account, entries, ())] if account else []
    return list(orders(side, (*held, *signed))), frozenset(signed)


def _by_some_certificate(side: Side, person: Person) -> dict[tuple[tuple[str, ...], LoginEntry], None]:
    """The logins that some certificate could be enough for."""
    return {
        (chain, entry): None
        for entry in side.ruleset.login
        for chain in entry.chains
        if any(fits("certificate", step) for step in chain) and entry.conditions.concerns(person)
    }


# Permissions


def _permissions(ruleset: Ruleset, person: Person) -> dict[str, Cell]:
    chains = (chain for entry in ruleset.login for chain in entry.chains)
    worlds = Worlds(chains, {}, ruleset.authorities.values())
    matching = [one for one in ruleset.grants_of(person) if worlds.together(person, [one.conditions]) is not None]
    denies = [grant for grant in matching if grant.effect is Effect.DENY]
    given: dict[str, list[Atom]] = {}
    for grant in matching:
        for atom in atoms(grant) if grant.effect is Effect.ALLOW else ():
            if atom.kind != "sets":
                given.setdefault(column_of(atom), []).append(atom)
    return {column: _cell(found, denies, person) for column, found in given.items()}


def column_of(atom: Atom) -> str:
    """The column in which a permission stands."""
    item = atom.item
    if isinstance(item, ExecRight):
        return "exec any" if item.is_any else "exec"
    if isinstance(item, SubsystemRight):
        return f"subsystem {item.name}"
    if isinstance(item, ShellRight | ForcedRight):
        return "shell" if isinstance(item, ShellRight) else "forced"
    if isinstance(item, PlainRight):
        return item.key.replace("_", "-")
    if atom.kind == "net":
        return "forward"
    return "env" if atom.kind == "accept" else atom.kind.replace("_", "-")


def _cell(given: list[Atom], denies: Iterable[Grant], person: Person) -> Cell:
    reasons: dict[Reason, None] = {}
    against: dict[Reason, list[Atom]] = {}
    denied: list[Atom] = []
    for atom in given:
        grant = atom.grant
        reasons[_reason(True, str(atom), grant.conditions, grant.where, grant.name, person)] = None
    for deny in denies:
        every = list(atoms(deny))
        touching = [one for one in every if deny.everything or any(meets(atom, one) for atom in given)]
        if not (deny.everything or touching):
            continue
        what = "everything" if deny.everything else ", ".join(str(one) for one in touching)
        covered = [atom for atom in given if deny.everything or any(touched_by(atom, one) for one in touching)]
        reason = _reason(False, what, deny.conditions, deny.where, deny.name, person)
        against[replace(reason, whole=len(covered) == len(given))] = covered
        denied += covered if not reason.conditions else []
    left = [atom for atom in given if atom not in denied]
    always = any(not one.conditions for one in reasons) and not against
    return Cell(DENIED if not left else YES if always else SOMETIMES, (*reasons, *against))


def _narrowed(side: Side, person: Person, column: str, cell: Cell) -> Cell:
    """A cell with what the options of keys take away from it."""
    held = held_steps(person, side.key_files or {})
    less = {step: taken_away(side.ruleset, person, step, column) for step in held}
    reasons = tuple(Reason(False, what, f"by {by}", where, by) for taken in less.values() for by, where, what in taken)
    if not reasons or cell.state in (NO, DENIED):
        return cell
    alone = not (person.has_password or person.totp or side.ruleset.authorities)
    never = alone and column in WHOLLY and all(less.values())
    return Cell(DENIED if never else SOMETIMES, (*cell.reasons, *dict.fromkeys(reasons)))


def _reason(allows: bool, what: str, conditions: Conditions, where: str, name: str, person: Person) -> Reason:
    own = [one for one in conditions.own if not _certain(one, person)]
    clauses = [_everyone(one) or one.clause if isinstance(one, Who) else one.clause for one in own]
    if conditions.unless:
        clauses.append(f"unless: {{{', '.join(one.clause for one in conditions.unless)}}}")
    froms = [one.addresses.ranges for one in own if isinstance(one, From)]
    excluded = conditions.unless
    others = excluded[0].addresses.ranges if len(excluded) == 1 and isinstance(excluded[0], From) else ()
    bare = len(own) == len(froms) and bool(others) == bool(excluded)
    return Reason(allows, what, ", ".join(clauses), where, name, froms[0] if froms else None, others, bare)


def _certain(condition: Condition, person: Person) -> bool:
    """Whether a condition holds for the person in every case."""
    if isinstance(condition, Account):
        return condition.accounts.issuperset(person.accounts)
    return isinstance(condition, Who) and condition.names(person) and not (condition.but_root and _may_be_root(person))


def _everyone(who: Who) -> str:
    """In words, whom a `who` leaves out that is absent or means everyone; empty where it is another one."""
    named = who.people or who.groups or who.by_more
    left_out = [*(["uid 0"] if who.but_root else []), *(["guests"] if who.but_guests else [])]
    if not left_out:
        return ""
    return f"{who.clause}, not {' and '.join(left_out)}" if named else f"everyone but {' and '.join(left_out)}"


def _may_be_root(person: Person) -> bool:
    """Whether a session of the person could be uid 0: which, before the host is asked, is `root` alone."""
    anybody = person.name == _SOMEBODY or person.certified or person.guests is not None
    return anybody or any(person.unix_name(account) == _ROOT for account in person.accounts)
