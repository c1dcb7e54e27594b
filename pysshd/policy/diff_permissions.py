"""What the grants of two policies give in one login: which permissions one of them adds to the other."""

from collections.abc import Iterator, Sequence
from dataclasses import field

from pysshd.policy.bounds import NO_BOUNDS, Bounds
from pysshd.policy.conditions import FALSE, TRUE, Case, Conditions
from pysshd.policy.diff_rights import (
    EVERY_SIGNAL,
    OPENING,
    Atom,
    atoms,
    less_cautious,
    meets,
    odd_slots,
    signals_named,
    takes_all_signals,
    touched_by,
    within,
)
from pysshd.policy.diff_sessions import Factor
from pysshd.policy.diff_sftp import tree_of
from pysshd.policy.rights_sftp import SftpRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.steps import BY_KEY
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """A login that is complete, under one of the policies."""

    case: Case
    steps: tuple[Factor, ...]

    @property
    def words(self) -> tuple[str, str]:
        """What fills the slots of the key and of the principal, or nothing, which either policy may see otherwise."""
        key = next((step.name or step.fingerprint or "" for step in self.steps if step.method in BY_KEY), "")
        said = next((step for step in self.steps if step.certificate is not None), None)
        if said is None or said.authority is None or said.certificate is None:
            return key, ""
        opening = said.authority.opening(self.case.account, said.certificate.principals)
        return key, opening[0] if len(opening) == 1 else ""


@dataclass(frozen=True, slots=True)
class Gain:
    """Something that a person has under the new policy and had not under the old one.

    what: in the words of the policy. login: that is what is gained; else a permission.
    session: of the new policy; before: what the same factors were under the old one.
    atom: the permission. where, was: `file:line` that decides in the new and the old policy, or words.
    sure: whether it is gained for certain; else it could not be shown that it is not.
    apart: the conditions by which the old policy kept it back, as far as there are such.
    """

    what: str
    session: Session
    before: Session
    where: str
    was: str
    conditions: str
    sure: bool = True
    atom: Atom | None = None
    apart: tuple[Conditions, ...] = ()


@dataclass(slots=True)
class Given:
    """What the grants of one policy say in one session."""

    session: Session
    grants: Sequence[Grant]
    allows: list[Grant] = field(default_factory=list)
    denies: list[Grant] = field(default_factory=list)
    bounding: list[Grant] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.permitted = [] if self.everything_denied else [atom for grant in self.allows for atom in atoms(grant)]
        self.denied = [atom for grant in self.denies for atom in atoms(grant)]

    permitted: list[Atom] = field(init=False)
    denied: list[Atom] = field(init=False)

    @property
    def matching(self) -> list[Grant]:
        """Every grant that has something to say."""
        return [*self.allows, *self.denies, *self.bounding]

    @property
    def everything_denied(self) -> Grant | None:
        """The grant that denies everything, or None."""
        return next((grant for grant in self.denies if grant.everything), None)


def odd(new: Given, old: Given) -> bool:
    """Whether the same grants may fill their slots with other words."""
    return new.session.words != old.session.words and any(
        odd_slots(atom.item) for atom in (*new.permitted, *old.denied)
    )


def given(grants: Sequence[Grant], session: Session) -> Given:
    """What of these grants matches in a session; what is unknown there, a deny and a bound count in."""
    found: dict[Effect, list[Grant]] = {effect: [] for effect in Effect}
    for grant in grants:
        truth = grant.conditions.truth(session.case)
        if truth is TRUE or (truth is not FALSE and grant.effect is not Effect.ALLOW):
            found[grant.effect].append(grant)
    return Given(session, grants, found[Effect.ALLOW], found[Effect.DENY], found[Effect.BOUND])


def clauses(conditions: Conditions) -> str:
    """Conditions as they stand in the file."""
    own = [condition.clause for condition in conditions.own if condition.clause]
    unless = ", ".join(condition.clause for condition in conditions.unless)
    return ", ".join([*own, *([f"unless: {{{unless}}}"] if unless else [])])


def permissions(new: Given, olds: Sequence[Given], moved: bool) -> Iterator[Gain]:
    """What a session of the new policy may do and none of the old ones could. moved: the person has another home."""
    opened = all(any(atom.kind in OPENING for atom in old.permitted) for old in olds)
    for atom in new.permitted:
        if atom.kind == "sets":
            continue
        # A channel may be opened for what is denied, too; so that is no reason to leave it out where none could be.
        if (opened or atom.kind not in OPENING) and any(touched_by(atom, deny) for deny in new.denied):
            continue
        reasons = [_lacking(atom, new, old, moved) for old in olds]
        if "" not in reasons:
            yield _gain(atom, new, olds[0], reasons[0])
    if not any(atom.kind == "runs" for atom in new.permitted):
        return
    if not any(_same_settings(new, old) for old in olds if any(atom.kind == "runs" for atom in old.permitted)):
        yield from _settings(new, olds[0])


def _gain(atom: Atom, new: Given, old: Given, reason: str) -> Gain:
    what = str(atom) if not reason.startswith("+") else f"{atom}, {reason[1:]}"
    own = f"{atom.where} ({atom.grant.name} at {atom.grant.where})" if atom.where != atom.grant.where else atom.where
    denier = old.everything_denied or next((deny.grant for deny in old.denied if meets(atom, deny)), None)
    was = denier.where if denier is not None else "no grant" if not reason.startswith("+") else _nearest(atom, old)
    apart = (denier.conditions,) if denier is not None else _elsewhere(atom, old)
    return Gain(what, new.session, old.session, own, was, clauses(atom.grant.conditions), False, atom, apart)


def _elsewhere(atom: Atom, old: Given) -> tuple[Conditions, ...]:
    """The conditions of grants that would give it, did they match."""
    return tuple(
        grant.conditions
        for grant in old.grants
        if grant.effect is Effect.ALLOW and any(within(atom, one) for one in atoms(grant))
    )


def _nearest(atom: Atom, old: Given) -> str:
    return next((one.where for one in old.permitted if within(atom, one, own=False)), "no grant")


def _lacking(atom: Atom, new: Given, old: Given, moved: bool) -> str:
    """Why the old policy may not have given all of this; "" where it did. `+`: it did, and now there is more to it."""
    covering = [one for one in old.permitted if within(atom, one)]
    if atom.kind == "signals" and not covering and _signals_follow(new, old):
        covering = [atom]
    if not covering and any(within(atom, one, own=False) for one in old.permitted):
        return "+where it is an address of the host of the daemon itself"
    if not covering:
        return "no grant"
    others = moved or new.session.words != old.session.words
    if old.everything_denied or any(meets(atom, deny) and not _kept(deny, new, others) for deny in old.denied):
        return "a deny"
    if isinstance(atom.item, SftpRight) and _tree(new) != _tree(old):
        return "+in a tree of other folders"
    if odd_slots(atom.item) and others:
        return "+with other words in its slots"
    if getattr(atom.item, "confined", False) and moved and not any(not _confined(one) for one in covering):
        return "+in another home"
    if _more_signals(atom, covering, old, new):
        return "+to which any signal may be sent"
    if less_cautious(atom, new.permitted, old.permitted):
        return "+where some of it was confined"
    return "" if _as_bound(atom, new, old) else "+with looser bounds"


def _tree(side: Given) -> frozenset[object]:
    """All folders that SFTP shows."""
    return frozenset(tree_of(atom.item for atom in side.permitted if isinstance(atom.item, SftpRight)))


def _kept(deny: Atom, new: Given, others: bool) -> bool:
    """Whether the new policy denies as much. others: slots may be filled with other words now."""
    return not (others and odd_slots(deny.item)) and any(touched_by(deny, other, denied=True) for other in new.denied)


def _confined(atom: Atom) -> bool:
    return bool(getattr(atom.item, "confined", False))


def _signals_follow(new: Given, old: Given) -> bool:
    """Whether to all that the new policy runs every signal could be sent under the old one."""
    running = [atom for atom in new.permitted if hasattr(atom.item, "all_signals")]
    return all(any(within(atom, one) and takes_all_signals(one) for one in old.permitted) for atom in running)


def _more_signals(atom: Atom, covering: Sequence[Atom], old: Given, new: Given) -> bool:
    if not takes_all_signals(atom):
        return False
    given = EVERY_SIGNAL if any(takes_all_signals(one) for one in covering) else signals_named(old.permitted)
    return bool((EVERY_SIGNAL - signals_named(new.denied)) - (given - signals_named(old.denied)))


def _as_bound(atom: Atom, new: Given, old: Given) -> bool:
    """Whether what holds for sure now is at least as strict as anything that may have held before."""
    now, before = NO_BOUNDS, NO_BOUNDS
    for grant in (atom.grant, *new.bounding):
        now = now | grant.bounds
    for grant in (*old.allows, *old.bounding):
        before = before | grant.bounds
    return as_strict(now, before)


def as_strict(now: Bounds, before: Bounds) -> bool:
    """Whether bounds are at least as strict as others."""
    return now.record >= before.record and all(
        any((limit.name, limit.per) == (other.name, other.per) and limit.amount <= other.amount for limit in now.limits)
        for other in before.limits
    )


def _same_settings(new: Given, old: Given) -> bool:
    ours, theirs = ([atom for atom in one.permitted if atom.kind == "sets"] for one in (new, old))
    odd = any(odd_slots(atom.item) for atom in ours) and new.session.words != old.session.words
    return not odd and {atom.item for atom in ours} == {atom.item for atom in theirs}


def _settings(new: Given, old: Given) -> Iterator[Gain]:
    """The variables that the policy sets are others: what runs may do something else."""
    if not any(atom.kind == "runs" for atom in old.permitted):
        return
    before = {atom.item for atom in old.permitted if atom.kind == "sets"}
    ours = [atom for atom in new.permitted if atom.kind == "sets"]
    changed = [atom for atom in ours if atom.item not in before or odd_slots(atom.item)]
    now = {atom.item for atom in ours}
    gone = [atom for atom in old.permitted if atom.kind == "sets" and atom.item not in now]
    for atom in changed:
        yield Gain(f"{atom}, of what runs", new.session, old.session, atom.where, "another value or none",
                   clauses(atom.grant.conditions), False)  # fmt: skip
    for atom in gone:
        if not any(getattr(atom.item, "name", "") == getattr(one.item, "name", None) for one in changed):
            yield Gain(f"what runs without {atom}", new.session, old.session, "no grant", atom.where,
                       clauses(atom.grant.conditions), False)  # fmt: skip
