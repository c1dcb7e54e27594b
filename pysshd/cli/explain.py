"""`pysshd explain`: why is this request allowed or refused, and what would change that."""

import sys
from pathlib import Path
from typing import IO, Any, Final, NoReturn

import click

from pysshd.cli.denials import show as show_logged
from pysshd.cli.scene import Given, scene_of, scene_options
from pysshd.cli.show import TROUBLE, load_or_end, say, write_json
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.explain import LOGIN, NARROWS, Explanation, plain, said_bounds, said_way
from pysshd.policy.explain import explain as explained
from pysshd.policy.misfit import Misfit
from pysshd.policy.query import UNKNOWN, Request, Unknown
from pysshd.policy.roles import roles_by_grant
from pysshd.policy.verbs import VERBS, VerbError, request_of, say_request
from pysshd.policy.ways_net import LookUpWay

ALLOWED, REFUSED = 0, 1

_WIDE: Final = max(len(verb.form) for verb in VERBS.values()) + 2
_FORMS: Final = "\n".join(f"  {verb.form:<{_WIDE}}{verb.meaning}" for verb in VERBS.values())
EPILOG: Final = f"""\b
A request is a verb and the rest verbatim:
{_FORMS}

\b
For example:
  pysshd explain policy.yaml --as alice --from 10.1.2.3 shell
  pysshd explain policy.yaml --as alice --from 10.1.2.3 exec 'rm -rf /'
  pysshd explain policy.yaml --as bob --account git --with publickey+password pty xterm
  pysshd explain policy.yaml --as bob --at 2027-03-01T03:00+01:00 exec ls -l
  pysshd explain --id k5rh75w4e7 --log /var/log/pysshd.json
"""


class _Verbatim(click.Command):
    """A command whose own words end with the verb: what follows is the request's, options or not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `--` before the verb, the second word that is no option and no option's value."""
        options = [option for option in self.params if isinstance(option, click.Option)]
        with_value = {name for option in options if not option.is_flag for name in option.opts}
        words, position = 0, 0
        while position < len(args) and args[position] != "--":
            words += not args[position].startswith("-")
            if words == 2:
                args = [*args[:position], "--", *args[position:]]
                break
            position += 2 if args[position] in with_value else 1
        return super().parse_args(ctx, args)


@click.command(cls=_Verbatim, short_help="Why is this allowed or refused, and what would change it?", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, readable=False), required=False)
@click.argument("verb", required=False)
@click.argument("rest", nargs=-1)
@scene_options
@click.option("--id", "decision", metavar="ID", help="Instead: what was decided under the id that a client was told.")
@click.option("--log", "log", type=click.File("rb"), help="With --id: the log, as JSON lines; - for standard input.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")
def explain(
    file: Path | None,
    verb: str | None,
    rest: tuple[str, ...],
    decision: str | None,
    log: IO[bytes] | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Explain what the policy FILE says to one request of one person.

    Shown are the decision and the line that made it, how the request would be answered and within which bounds, until
    when that holds, every entry that was tried and what it lacked, and for a refusal the smallest changes that would
    allow it, each of them tried. A fact that is not given is unknown: an allow that asks for it does not match, a deny
    does. A name is not looked up: each address of it is judged by itself, so give the one that is meant. Exit status:
    0 allowed, 1 refused, 2 there is no answer. With --id and --log nothing is asked anew: what the daemon decided is
    shown from its log, as by `pysshd why`.
    """
    if decision is not None or log is not None:
        _explain_logged(decision, log, file, as_json)
    if file is None or verb is None or given["name"] is None:
        missing = "FILE" if file is None else "VERB" if verb is None else "--as"
        raise click.UsageError(f"{missing} is missing, expected explain FILE --as PERSON VERB …")
    request = _request(verb, rest)
    loaded = load_or_end(file, as_json=as_json)
    scene, held = scene_of(loaded, Given(**given), file)
    roles = roles_by_grant(loaded.document, loaded.ruleset)
    found = explained(loaded.ruleset, scene, request, held, roles)
    if as_json:
        write_json({"file": str(file)} | plain(found))
    else:
        _show(found)
    sys.exit(TROUBLE if found.looked_up else ALLOWED if found.allowed else REFUSED)


def _explain_logged(decision: str | None, log: IO[bytes] | None, file: Path | None, as_json: bool) -> NoReturn:
    if decision is None or log is None or file is not None:
        raise click.UsageError("--id goes with --log, and with no FILE: explain --id ID --log LOG")
    sys.exit(show_logged(decision, log, as_json))


def _request(verb: str, rest: tuple[str, ...]) -> Request:
    """The request that the words are; as ssh does it, they are joined by blanks."""
    try:
        return request_of(verb, " ".join(rest) if rest else None)
    except VerbError as error:
        raise click.UsageError(str(error) + (f" ({error.hint})" if error.hint else "")) from None


def _show(found: Explanation) -> None:
    scene, login, decision = found.scene, found.login, found.decision
    place = f"from {scene.source}" if not isinstance(scene.source, Unknown) else "from an unknown address"
    asks = say_request(found.request)
    if found.looked_up:
        say(f"{scene.person.name} {place} may have the name looked up, no more: {asks}", colour="yellow", bold=True)
        _row("then", f"each address is judged by itself: {asks} ADDRESS")
    else:
        may, colour = ("may", "green") if found.allowed else ("may not", "red")
        say(f"{scene.person.name} {place} {may} {asks}", colour=colour, bold=True)
    _row("because", _because(decision if login.admitted else login.decision))
    if found.allowed and decision.way is not None and (way := said_way(decision.way)):
        _row("runs", way)
    for bound in said_bounds(decision.bounds) if found.allowed else ():
        _row("bound", bound)
    if found.nearest is not None:
        _row("nearest" if login.admitted else "namely", _near(found.nearest))
    if (until := (decision if login.admitted else login.decision).valid_until) is not None:
        _row("until", until.astimezone(scene.now.tzinfo).isoformat(timespec="minutes"))
    _row("login", f"{'+'.join(scene.chain)} is {'enough' if login.admitted else 'refused'}: {_because(login.decision)}")
    if not login.admitted and decision.reason != login.decision.reason:
        _row("after it", f"{_after_it(decision)}: {_because(decision)}")
    _row("facts", "; ".join(_facts(found)))
    for assumed in found.assumed:
        _row("assumed", f"{assumed} (it is not asked here)")
    _trace(found)
    _show_changes(found)


def _row(name: str, text: str) -> None:
    say(f"  {name:<9} {text}")


def _after_it(decision: Decision) -> str:
    if isinstance(decision.way, LookUpWay):
        return "the name may be looked up"
    return "allowed" if decision.allowed else "refused"


def _because(decision: Decision) -> str:
    return f"{decision.reason} ({decision.decided_by})" if ":" in decision.decided_by else decision.reason


def _near(misfit: Misfit) -> str:
    place = f"{misfit.permission} ({misfit.where}), which {misfit.grant} gives: " if misfit.permission else ""
    where = f" ({misfit.where})" if misfit.where and not place else ""
    return f"{place}{misfit.why}{where}" + (f" ({misfit.hint})" if misfit.hint else "")


def _facts(found: Explanation) -> list[str]:
    scene = found.scene
    keys = [step.label or step.key or "" for step in scene.keys]
    groups = scene.system_groups
    named = "not known" if isinstance(groups, Unknown) else ", ".join(sorted(groups)) or "none"
    return [
        f"account {scene.account}",
        *([f"key {' and '.join(keys)}"] if keys else []),
        f"listener {scene.listener}",
        f"at {scene.now.isoformat(timespec='minutes')}",
        *([f"groups of the host: {named}"] if groups is not UNKNOWN else []),
    ]


def _trace(found: Explanation) -> None:
    logins = [(LOGIN, tried) for tried in found.login.decision.trace]
    rows = [*logins, *zip(found.effects, found.decision.trace, strict=True)]
    names = [tried.entry if effect in (LOGIN, NARROWS) else f"{effect} {tried.entry}" for effect, tried in rows]
    width = max(map(len, names), default=0)
    places = max((len(tried.where) for _, tried in rows), default=0)
    if rows:
        say("tried")
    for (effect, tried), name in zip(rows, names, strict=True):
        said = _matches(tried) if tried.matched else f"does not count: {tried.failed}"
        if effect == NARROWS:
            said = tried.failed or "narrows"
        refuses = effect == "deny" or (effect == NARROWS and tried.failed)
        colour = None if not tried.matched else "red" if refuses else "green"
        say(f"  {tried.where:<{places}}  {name:<{width}}  {said}", colour=colour)


def _matches(tried: Tried) -> str:
    """That an entry counts; a deny and a bound do so too where a fact is not known."""
    return f"matches, for {tried.failed.removesuffix(' (unknown)')} is not known" if tried.failed else "matches"


_SAYING: Final = {
    "from": "--from ADDRESS",
    "client": "--client VERSION",
    "system_groups": "--system-group GROUP or --no-system-groups",
}
"""The options that say what is not known, by the names of `Explanation.lacking`."""


def _show_changes(found: Explanation) -> None:
    if found.lacking:
        say(f"say {', and '.join(_SAYING[name] for name in found.lacking)}: what is not known may decide this")
    if found.logins:
        say(f"let in would be: {', '.join(found.logins)}")
    if found.allowed or found.looked_up:
        return
    what = "allow it" if found.login.admitted else "let this login in"
    if not found.changes:
        if not found.logins:
            say(f"no change of a few lines was found that would {what}")
        return
    say(f"each of these would {what}; tried on the rules, and for you to judge:")
    for change in found.changes:
        say("  - " + ", and ".join(f"{edit.text}{f' ({edit.where})' if edit.where else ''}" for edit in change))
