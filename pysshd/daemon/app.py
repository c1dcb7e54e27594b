"""The composition root: one policy in, one serving daemon out.

Everything is read and bound before anything is served: what can not start says why in one line and leaves nothing
behind. The zygote is started first, so that its imports and the policy's load take the same second.
"""

import asyncio
import os
import random
import resource
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from pysshd.audit.sinks import AuditLog
from pysshd.daemon import host_keys, listeners, state, users
from pysshd.daemon.admission import Admission
from pysshd.daemon.blame import blamed_on
from pysshd.daemon.clock import SystemClock
from pysshd.daemon.front import Front
from pysshd.daemon.helpers import CONFINEMENT, Helpers, ask_helper
from pysshd.daemon.hidden import hidden_from_programs, hidden_with, refuse_open_homes
from pysshd.daemon.host_certificates import HostCertificate, load_certificates
from pysshd.daemon.interface import Factory, maker_of, threads_watched
from pysshd.daemon.lifecycle import Signals
from pysshd.daemon.people import Queues, make_people
from pysshd.daemon.reloading import InForce, Reloader
from pysshd.daemon.reloads import reloads
from pysshd.daemon.renewing import Current, Renewing, read
from pysshd.daemon.terms import make_signer, make_terms
from pysshd.daemon.turnstile import Turnstile
from pysshd.daemon.workers import make_workers, offered_names
from pysshd.errors import BoundaryError, StartupError
from pysshd.identity.accounts import HOMES
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.settings import HostKeys, Startups
from pysshd.processes.boundary.calls.zygote import CONFINEMENT_WORKS, Account
from pysshd.processes.monitor.edges import Edges
from pysshd.processes.monitor.hook_threads import HookThreads
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.pool import Workers
from pysshd.processes.monitor.sessions import Limits
from pysshd.processes.monitor.standing import Review
from pysshd.processes.monitor.terms import Services
from pysshd.processes.monitor.zygote_start import Started
from pysshd.processes.sandbox.process import become_user, set_non_dumpable
from pysshd.records import dataclass
from pysshd.server.rules import Rules
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.warm import warm_up
from pysshd.version import __version__

REVIEWED_AT_ONCE = 16
"""Connections that are judged again at a time: as many as there are helpers for what they have to look up."""

LoadPolicy = Callable[[], Ruleset]
"""Reads and compiles the policy; raises StartupError (PolicyError) with all that is wrong with it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the daemon was started.

    policy: the file, for the log. load: reads it. root_may_serve: sessions may run as root, for nobody but root is in
    the policy (the quickstart's). ready: called once connections are accepted, with the host keys and the addresses.
    interface: makes the servers, instead of the policy or of the class that it names. zygote: is on its way already.
    reload: reads it again, and refuses it where its tests fail, for there is a good one; None: the policy is no file.
    """

    policy: Path
    load: LoadPolicy
    root_may_serve: bool = False
    ready: Callable[[list[host_keys.HostKey], list[str]], None] | None = None
    interface: Factory | None = None
    zygote: Started | None = None
    reload: LoadPolicy | None = None


def serve(options: Options, log: AuditLog) -> None:
    """Serve until SIGTERM or SIGINT; StartupError where that can not begin."""
    limits = harden()
    asyncio.run(_serve(options, log, limits))


def harden() -> Limits:
    """What this process gives up before it reads a secret: core files, being traced, loose modes on what it makes.

    Returns the limits that it changed, as they were: sessions that are an account of the host have these.
    """
    before = tuple((kind, *resource.getrlimit(kind)) for kind in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE))
    # The soft limit alone: what gave its hard one up could not give it back to sessions, where even root may not raise.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    set_non_dumpable()
    os.umask(0o077)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if soft < hard else (soft, hard))
    return before


async def _serve(options: Options, log: AuditLog, limits: Limits) -> None:
    signals = Signals(log)
    log.write("daemon.starting", version=__version__, policy=str(options.policy))
    launcher = Launcher(lambda text: log.write("daemon.zygote", detail=text), first=options.zygote)
    starting = asyncio.create_task(launcher.start())
    # One turn of the loop is what the zygote needs to be on its way while the policy is read.
    await asyncio.sleep(0)
    try:
        prepared = replace(prepare(options, log), limits=limits)
        await starting
        await _run(options, log, launcher, prepared, signals)
    finally:
        if not starting.done():
            starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await launcher.close()
    log.write("daemon.stopped")


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that was read and bound before the first connection.

    hidden: whichever files the policy includes; hidden_first: with those of its first version.
    """

    ruleset: Ruleset
    state: Path
    keys: list[host_keys.HostKey]
    certificates: list[HostCertificate]
    hidden: tuple[str, ...]
    listeners: list[listeners.Listener]
    service: users.Identity | None
    worker: users.Identity | None
    hidden_first: tuple[str, ...]
    limits: Limits = ()


def prepare(options: Options, log: AuditLog) -> Prepared:
    """Read the policy and the keys, and bind; StartupError before anything is half started.

    What only looks comes first and what writes comes last, so that a start that fails leaves no file behind.
    """
    ruleset = options.load()
    server = ruleset.settings.server
    users.check_programs(ruleset)
    with blamed_on(server.where.get("user")):
        service = users.service_identity(server, ruleset.people, root_may_serve=_root_may_serve(options, ruleset))
    owner = os.geteuid() if service is None else service.uid
    with blamed_on(server.where.get("worker_user")):
        worker, warning = (None, None) if service is not None else users.worker_identity(server)
    owners = frozenset({0, os.geteuid(), owner})
    folder = Path(server.state) if server.state else state.default_state_directory(os.environ, os.geteuid())
    named = server.host_keys or HostKeys()
    key_folder = Path(named.directory) if named.directory else folder / "host_keys"
    with blamed_on(named.where):
        keys = host_keys.load_files(named.files, owners)
    places = (folder, key_folder)
    hidden = hidden_with(hidden_from_programs(places, (options.policy, *map(Path, named.files))), ruleset)
    refuse_open_homes(ruleset, hidden, owner, folder / HOMES)
    bound = listeners.bind(server.listen)
    try:
        with blamed_on(server.where.get("state")):
            folder = state.prepare_state_directory(folder, owner)
        with blamed_on(named.where):
            if not keys:
                keys = host_keys.load_or_generate(key_folder, owners, owner, partial(_note, log))
            elif named.directory:
                keys = host_keys.joined(keys, host_keys.load_folder(key_folder, owners))
            warn, now = partial(_warn, log), SystemClock().wall().timestamp()
            certificates = load_certificates(keys, named.certificates, owners, now, warn)
    except BaseException:
        for listener in bound:
            listener.socket.close()
        raise
    if warning is not None:
        log.write("daemon.warning", detail=warning)
    hidden = hidden_from_programs(places, (options.policy, *(key.file for key in keys)))
    first = hidden_with(hidden, ruleset)
    return Prepared(ruleset, folder, keys, certificates, hidden, bound, service, worker, first)


def _note(log: AuditLog, text: str) -> None:
    log.write("daemon.note", detail=text)


def _warn(log: AuditLog, text: str) -> None:
    log.write("daemon.warning", detail=text)


async def _run(options: Options, log: AuditLog, launcher: Launcher, prepared: Prepared, signals: Signals) -> None:
    ruleset, clock, warn = prepared.ruleset, SystemClock(), partial(_warn, log)
    if prepared.service is not None:
        await _become(launcher, prepared.service, offered_names(ruleset.settings))
        if (unread := users.unreadable()) is not None:
            warn(users.CANNOT_RESTART.format(user=prepared.service.name, path=unread))
    pool = make_workers(ruleset.settings, launcher, prepared.worker, log)
    await _check_confinement(launcher, ruleset)
    helpers = Helpers(launcher)
    queues = Queues(helpers.ask, clock, warn)
    make = partial(make_people, state=prepared.state, queues=queues, clock=clock, complain=warn)
    current = Current(Rules(ruleset, make(ruleset)))
    # As whom the daemon serves from here on: what stands in the administrator's module runs as nobody else.
    maker = maker_of(options.interface, current)
    if maker.warning is not None:
        warn(maker.warning)
    signer = make_signer(ruleset.settings.crypto, prepared.keys, prepared.certificates, warn)
    terms = make_terms(ruleset.settings, signer, prepared.hidden_first, os.environ.get("TZ"),
                       certified=ruleset.takes_certificates)  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(closing(helpers))
        stack.enter_context(threads_watched(log))
        threads = stack.enter_context(closing(HookThreads(clock)))
        edges = stack.enter_context(closing(Edges(clock, asyncio.get_running_loop().call_later)))
        review = Review(current, edges, asyncio.Semaphore(REVIEWED_AT_ONCE))
        front = Front(
            services=Services(signer, launcher, maker.make, threads, log, clock, maker.inline, review),
            terms=replace(terms, limits=prepared.limits),
            pool=pool,
            admission=Admission(ruleset.settings.limits, random.SystemRandom().random),
            turnstile=_turnstile(ruleset.settings.limits.startups, clock),
        )
        check = partial(_check_confinement, launcher)
        renewing = Renewing(
            current, front.services, front.terms, prepared.keys, prepared.certificates, make, check, front.apply, warn
        )
        try:
            log.write("daemon.sandbox", holds="; ".join(await _first_worker(pool)))
            front.open(prepared.listeners)
            async with reloads(_reloader(options, log, prepared, renewing), front, signals, prepared.state, log):
                _announce(options, log, prepared)
                await signals.stopped.wait()
            await front.close()
        finally:
            await pool.close()


def _reloader(options: Options, log: AuditLog, prepared: Prepared, renewing: Renewing) -> Reloader | None:
    """What reads the policy again; None where it is no file."""
    if options.reload is None:
        return None
    check = partial(_refuse_unservable, options, prepared)
    load = partial(read, options.reload, prepared.ruleset.settings, check)
    return Reloader(options.policy, load, renewing.put_in_force, InForce(prepared.ruleset.version), log)


def _refuse_unservable(options: Options, prepared: Prepared, ruleset: Ruleset) -> tuple[str, ...]:
    """Refuse a new policy that this daemon would not have started with: StartupError. Returns what it hides."""
    users.check_programs(ruleset)
    if prepared.service is None:
        root_may_serve = _root_may_serve(options, ruleset)
        users.service_identity(ruleset.settings.server, ruleset.people, root_may_serve=root_may_serve)
    hidden = hidden_with(prepared.hidden, ruleset)
    refuse_open_homes(ruleset, hidden, os.geteuid(), prepared.state / HOMES)
    return hidden


def _root_may_serve(options: Options, ruleset: Ruleset) -> bool:
    """Whether root may serve as itself: not where a program would be root, or say who else comes."""
    return options.root_may_serve and not ruleset.commands


def _turnstile(startups: Startups, clock: SystemClock) -> Turnstile:
    later = asyncio.get_running_loop().call_later
    return Turnstile(startups.per_source, startups.per_source_rate, clock.monotonic, later)


async def _first_worker(pool: Workers) -> tuple[str, ...]:
    try:
        return await pool.start()
    except BoundaryError as error:
        raise StartupError(f"sandbox: {error}") from None


async def _check_confinement(launcher: Launcher, ruleset: Ruleset) -> None:
    """Refuse a policy that confines programs on a host that lets nobody do so, before anybody relies on it."""
    where = ruleset.first_confined
    if where is None:
        return
    said = await ask_helper(launcher, CONFINEMENT, b"?")
    if said != CONFINEMENT_WORKS:
        raise StartupError(f"{where}: confined: this host can not confine programs: {said.decode('utf-8', 'replace')}")


async def _become(launcher: Launcher, service: users.Identity, algorithms: Sequence[str]) -> None:
    """Stop being root, the zygote first: it can not follow a monitor that may no longer tell it to."""
    # Files that root may read and the service user may not: what the library imports late must be there by now.
    warm_up(SystemEntropy())
    await launcher.become(Account(service.uid, service.gid, service.groups), algorithms)
    become_user(service.uid, service.gid, service.groups)
    set_non_dumpable()


def _announce(options: Options, log: AuditLog, prepared: Prepared) -> None:
    for host_key in prepared.keys:
        public = host_key.key.public
        log.write("daemon.host_key", fingerprint=public.fingerprint, algorithm=public.key_type, file=str(host_key.file))
    for loaded in prepared.certificates:
        names, authority = loaded.names, loaded.certificate.authority.fingerprint
        log.write(
            "daemon.host_certificate", file=str(loaded.file), authority=authority, names=names, until=loaded.until
        )
    log.write("daemon.rules", rules=prepared.ruleset.version, policy=str(options.policy))
    addresses = [listener.address for listener in prepared.listeners]
    for address in addresses:
        log.write("daemon.listening", address=address)
    log.write("daemon.ready")
    if options.ready is not None:
        options.ready(prepared.keys, addresses)
