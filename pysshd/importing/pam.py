"""What PAM would add to a login (pam.conf(5)): modules that may keep somebody out have no equivalent here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pysshd.policy.problems import Mark

FOLDER: Final = "/etc/pam.d"
_MOST: Final = 16

_DONE_HERE: Final = frozenset(
    ["pam_unix.so", "pam_nologin.so", "pam_permit.so", "pam_deny.so", "pam_warn.so", "pam_env.so", "pam_faildelay.so",
     "pam_selinux.so", "pam_sepermit.so", "pam_loginuid.so", "pam_limits.so", "pam_motd.so", "pam_mail.so",
     "pam_keyinit.so", "pam_systemd.so", "pam_umask.so", "pam_cap.so", "pam_lastlog.so", "pam_localuser.so",
     "pam_usertype.so", "pam_mkhomedir.so", "pam_gnome_keyring.so", "pam_kwallet5.so"]
)  # fmt: skip
"""Modules whose part in keeping somebody out the daemon does itself, and those that keep nobody out."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module that may keep somebody out."""

    stack: str
    name: str
    mark: Mark


def keeping_out(services: Mapping[str, str], service: str) -> tuple[Module, ...] | None:
    """The modules of the stacks `auth` and `account` that are not known here; None where a file is missing."""
    try:
        return tuple(dict.fromkeys(one for one in _modules(services, service, ("auth", "account"), 0)))
    except KeyError:
        return None


def _modules(services: Mapping[str, str], service: str, stacks: tuple[str, ...], depth: int) -> Iterator[Module]:
    if depth > _MOST:
        raise KeyError(service)
    for number, line in enumerate(services[service].replace("\\\n", " ").split("\n"), 1):
        words = line.partition("#")[0].split()
        if len(words) >= 2 and words[0] == "@include":
            yield from _modules(services, words[1], stacks, depth + 1)
            continue
        stack = words[0].removeprefix("-").lower() if words else ""
        if stack not in stacks or len(words) < 3:
            continue
        control, rest = words[1], words[2:]
        if control.startswith("["):
            end = next((at for at, word in enumerate(words[1:]) if word.endswith("]")), len(words))
            rest = words[end + 2 :]
        if control in ("include", "substack"):
            yield from _modules(services, rest[0], (stack,), depth + 1)
        elif rest and rest[0].rpartition("/")[2] not in _DONE_HERE:
            yield Module(stack, rest[0], Mark(f"{FOLDER}/{service}", number, 1))
