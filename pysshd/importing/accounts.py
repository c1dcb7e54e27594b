"""The accounts and groups of a host, from the texts of passwd(5) and group(5)."""

from collections.abc import Mapping
from dataclasses import field

from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One account; groups are names, that of its own group among them."""

    name: str
    uid: int
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Host:
    """What is known of a host.

    sftp_server: the path of its sftp-server, or empty where none was found.
    timezone: its time zone by its IANA name; empty: it is not known.
    pam: the texts of its services of PAM, by name.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    sftp_server: str = ""
    timezone: str = "UTC"
    pam: Mapping[str, str] = field(default_factory=dict)


def read_accounts(passwd: str, group: str) -> tuple[dict[str, Account], frozenset[str]]:
    """The accounts by name, and the names of all groups; lines of another form are passed over, as the host does."""
    names: dict[int, str] = {}
    members: dict[str, set[str]] = {}
    groups: set[str] = set()
    for line in group.split("\n"):
        fields = line.split(":")
        if len(fields) < 4 or not fields[2].isdigit():
            continue
        groups.add(fields[0])
        names.setdefault(int(fields[2]), fields[0])
        for member in filter(None, fields[3].split(",")):
            members.setdefault(member, set()).add(fields[0])
    found: dict[str, Account] = {}
    for line in passwd.split("\n"):
        fields = line.split(":")
        if len(fields) < 7 or not (fields[2].isdigit() and fields[3].isdigit()):
            continue
        own = names.get(int(fields[3]))
        held = members.get(fields[0], set()) | ({own} if own is not None else set())
        found.setdefault(fields[0], Account(fields[0], int(fields[2]), frozenset(held)))
    return found, frozenset(groups)
