"""Certificates of users: by whose key they are signed, whom they name, and what their options come to."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pysshd.errors import InvalidKeyError
from pysshd.identity.accounts import ServiceAccounts, ServiceUser, SystemAccounts
from pysshd.identity.certificates import said_by
from pysshd.identity.key_files import KeyFiles
from pysshd.identity.passwords import PasswordQueue
from pysshd.identity.virtual import VirtualPeople
from pysshd.patterns.key_options import parse_options
from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.load import load_text
from pysshd.policy.people import Person, PersonKey
from pysshd.policy.query import UnixFacts
from pysshd.server.known import HostAccount, Known
from pysshd.server.ports import KeyHolder
from pysshd.ssh.crypto.certs import FOREVER, Certificate, parse_certificate
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.wire import codec
from tests.ssh.crypto.test_certs import Recipe, options, packed

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SUBJECT, CA, OTHER = (generate_private_key("ed25519") for _ in range(3))
RECIPE = Recipe(SUBJECT, CA, kind=1, key_id=b"alice", principals=packed(("alice", "web")))
POLICY = f"""
version: 1
users: {{alice: {{keys: ["{OTHER.public.line}"]}}}}
authorities:
  staff: {{keys: [{{key: "{CA.public.line}", not_after: 2027-06-30}}]}}
"""


class Machine:
    def wall(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def made(**more: Any) -> Certificate:
    return parse_certificate(replace(RECIPE, **more).make())


def holder(certificate: Certificate, policy: str = POLICY, now: datetime = NOW, known: Known | None = None) -> Any:
    async def never(_: bytes) -> bytes:
        raise AssertionError("no password is asked for")

    ruleset = load_text(policy).ruleset
    files = KeyFiles(frozenset({0, os.geteuid()}))
    passwords = PasswordQueue(never, Machine(), 1)
    made = VirtualPeople(ruleset, files, passwords, SystemAccounts({}), SystemEntropy())
    return asyncio.run(made.certificate_holder("alice", certificate, now, known or Known()))


def test_what_a_certificate_says() -> None:
    critical = options(("force-command", codec.string(b"id -u")), ("source-address", codec.string(b"10.0.0.0/8,::1")))
    found = said_by(made(critical=critical, extensions=options(("permit-pty", b""), ("x@y", codec.string(b"z")))), "a")
    assert (found.authority, found.key_id, found.serial) == ("a", "alice", 7)
    assert found.principals == {"alice", "web"}
    assert found.extensions == {"permit-pty", "x@y"}
    assert (found.narrowing.command, found.options) == (b"id -u", frozenset())
    (sources,) = found.narrowing.sources
    assert [sources.holds(ip_address(one)) for one in ("10.1.1.1", "::1", "11.1.1.1")] == [True, True, False]
    assert (found.not_before, found.not_after) == (None, None)
    plain = said_by(made(), "a")
    assert plain.narrowing == NO_NARROWING
    assert plain.extensions == frozenset()


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        (0, FOREVER, (None, None)),
        (
            1_800_000_000,
            1_900_000_000,
            (datetime(2027, 1, 15, 8, tzinfo=UTC), datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)),
        ),
        (0, 1 << 62, (None, None)),
        (0, 0, (None, datetime(1970, 1, 1, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_its_time(after: int, before: int, expected: tuple[Any, Any]) -> None:
    found = said_by(made(after=after, before=before), "a")
    assert (found.not_before, found.not_after) == expected


@pytest.mark.security("S58", "S59", "S61")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"kind": 2}, "the certificate is of a host, expected one of a user"),
        ({"after": 1 << 62}, "not valid before the year 9999"),
        ({"critical": options(("force-command", b""))}, "the critical option force-command is malformed"),
        ({"critical": options(("force-command", b"id"))}, "the critical option force-command is malformed"),
        ({"critical": options(("force-command", codec.string(b"id") + b"x"))}, "force-command is malformed"),
        ({"critical": options(("force-command", codec.string(b"")))}, "it is empty, or has a NUL"),
        ({"critical": options(("force-command", codec.string(b"a\0b")))}, "it is empty, or has a NUL"),
        ({"critical": options(("source-address", codec.string(b"")))}, "source-address is malformed: it is empty"),
        ({"critical": options(("source-address", codec.string(b"10.*")))}, "'10.*' is no address or prefix"),
        ({"critical": options(("source-address", codec.string(b"!10.0.0.1")))}, "is no address or prefix"),
        ({"critical": options(("source-address", codec.string(b"\xff")))}, "is no address or prefix"),
    ],
)
def test_what_can_mean_nothing(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        said_by(made(**more), "a")
    assert message in str(caught.value)
    assert message in holder(made(**more))


def test_what_can_not_be_kept_is_handed_on_by_its_name() -> None:
    found = said_by(made(critical=options(("new@x", b""), ("verify-required", b""))), "a")
    assert found.options == {"new@x", "verify-required"}


def test_the_holder_is_whom_the_authority_names() -> None:
    found = holder(made())
    assert isinstance(found, KeyHolder)
    assert (found.person, found.step.key) == ("alice", SUBJECT.public.fingerprint)
    assert found.step.certificate == said_by(made(), "staff")
    assert found.step.label == CA.public.fingerprint
    assert holder(made(key_id=b"dave")).person == "dave"
    assert holder(made(key_id=b"../x")) == "the certificate of staff names nobody by its key_id"
    by_principal = POLICY.replace("staff: {", "staff: {person: principal, ")
    assert holder(made(), by_principal) == "the certificate of staff names nobody by its principal"
    assert holder(made(principals=packed(("web",))), by_principal).person == "web"
    guests = POLICY.replace("users: {", 'users: {g: {names: ["g*"]}, ')
    ruleset = load_text(guests, language=True).ruleset
    assert ruleset.holder_of(said_by(made(key_id=b"g"), "staff")) is None


def test_a_person_of_the_host_is_that() -> None:
    known = Known(people={"alice": Person("alice", where="the host")})
    assert holder(made(), known=known).person == "alice"


@pytest.mark.security("S61")
def test_only_a_key_of_an_authority_counts_and_only_in_its_time(tmp_path: Path) -> None:
    none = f"its authority {OTHER.public.fingerprint} is none of the policy"
    assert holder(made(authority=OTHER)) == none
    assert holder(made(), now=datetime(2027, 7, 1, 12, tzinfo=UTC)).startswith("its authority ")
    file = tmp_path / "ca.pub"
    file.write_text(f"{OTHER.public.line}\n")
    file.chmod(0o644)
    in_file = POLICY.replace("keys: [{key", f"keys: [{file}, {{key")
    assert holder(made(authority=OTHER), in_file).person == "alice"
    assert holder(made(authority=OTHER), in_file).step.label == str(file)
    for line in (f"restrict {OTHER.public.line}", f"cert-authority {OTHER.public.line}", "no key"):
        file.write_text(line + "\n")
        assert holder(made(authority=OTHER), in_file) == none


def test_whom_a_certificate_makes_a_person_has_a_home_and_an_account(tmp_path: Path) -> None:
    user = ServiceUser(os.geteuid(), "/home/service", "/bin/bash")
    certified = ServiceAccounts(user, tmp_path, {}, certified=True)
    assert certified.account("dave", "web", confined=True).home == str(tmp_path / "homes" / "dave")
    for accounts, name in ((ServiceAccounts(user, tmp_path, {}), "dave"), (certified, "../x")):
        with pytest.raises(LookupError):
            accounts.account(name, "web", confined=True)
    facts = UnixFacts("web", 1234)
    known = Known(accounts={"web": HostAccount(facts, 1234, 1234, (1234,), "/home/web", "/bin/sh", True)})
    account = SystemAccounts({}, certified=True).account("dave", "web", False, known)
    assert (account.name, account.uid, account.person) == ("web", 1234, "dave")
    with pytest.raises(LookupError):
        SystemAccounts({}).account("dave", "web", False, known)


@pytest.mark.parametrize("authority", ["staff", ""])
def test_what_lines_say_of_a_certified_key_goes_with_its_certificate(tmp_path: Path, authority: str) -> None:
    file = tmp_path / "alice.pub"
    file.write_text(f"no-pty {SUBJECT.public.line}\n")
    file.chmod(0o644)
    no_pty, no_agent, forces, no_x11 = (
        parse_options(options, UTC)
        for options in ("no-pty", "no-agent-forwarding", 'command="id"', "no-X11-forwarding")
    )
    people = f"""
version: 1
users:
  alice: {{keys: [{{file: "{file}", options: no-agent-forwarding}}, 'cert-authority {OTHER.public.line}']}}
authorities: {{staff: {{keys: ["{CA.public.line}"]}}}}
"""
    said = (("alice", "~/k", forces), ("alice", "~/k", no_x11), ("bob", "~/k", no_x11), ("alice", "~/l", NO_NARROWING))
    known = Known({"alice": load_text(people).ruleset.people["alice"]}, keys={SUBJECT.public.fingerprint: said})
    found = holder(made(authority=CA if authority else OTHER), people, known=known)
    assert (found.person, found.step.certificate.authority) == ("alice", authority)
    assert found.step.certified == (no_pty, no_agent, forces)
    assert holder(made(key_id=b"dave"), people, known=known).step.certified == ()


def test_a_key_of_a_line_with_cert_authority_signs_for_its_owner(tmp_path: Path) -> None:
    none = f"its authority {CA.public.fingerprint} is none of the policy"
    file = tmp_path / "alice.pub"
    people = f"""
version: 1
users: {{alice: {{keys: [{{name: own, file: "{file}"}}, 'cert-authority {OTHER.public.line}']}}}}
"""
    for line, holds in ((f"cert-authority,no-pty {CA.public.line}", True), (CA.public.line, False), ("x", False)):
        file.write_text(line + "\n")
        file.chmod(0o644)
        found = holder(made(key_id=b"whatever"), people)
        if not holds:
            assert found == none
            continue
        assert (found.person, found.step.label, found.step.key) == ("alice", "own", SUBJECT.public.fingerprint)
        assert (found.step.certificate.authority, found.step.certificate.signer) == ("", CA.public.fingerprint)
        assert not found.step.narrowing.pty
    inline = holder(made(authority=OTHER), people)
    assert (inline.person, inline.step.label) == ("alice", OTHER.public.fingerprint)
    known = Known(
        people={"alice": Person("alice", keys=(PersonKey("~/k", file="~/k"),))},
        keys={CA.public.fingerprint: (("alice", "~/k", parse_options("cert-authority", UTC)),)},
    )
    assert holder(made(), "version: 1", known=known).step.label == "~/k"
    # In whatever order sources are heard, one that has it as a plain key makes it none of an authority.
    for plain in (0, 1):
        said = [("alice", label, parse_options("cert-authority", UTC)) for label in ("~/k", "~/other")]
        said[plain] = (*said[plain][:2], NO_NARROWING)
        two = replace(known, keys={CA.public.fingerprint: tuple(said)})
        assert holder(made(), "version: 1", known=two) == none
    both = (
        ("alice", "~/k", parse_options("cert-authority", UTC)),
        ("alice", "x", parse_options("cert-authority", UTC)),
    )
    assert holder(made(), "version: 1", known=replace(known, keys={CA.public.fingerprint: both})).person == "alice"
