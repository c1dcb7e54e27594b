"""Landlock: what of the file system, the network and other processes this process can reach (landlock(7))."""

import ctypes
import os
import stat
import struct
from collections.abc import Mapping
from enum import IntFlag

from pysshd.errors import SandboxError
from pysshd.processes.sandbox.kernel import call
from pysshd.processes.sandbox.process import refusal


class FileRight(IntFlag):
    """Rights on files and folders (linux/landlock.h); a right that the kernel does not know it does not judge."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


OF_FILES = FileRight.EXECUTE | FileRight.WRITE_FILE | FileRight.READ_FILE | FileRight.TRUNCATE | FileRight.IOCTL_DEV
"""The rights that a file, and not only a folder, can have."""

_ALL_NETWORK = 0b11  # bind and connect, TCP
_ALL_SCOPES = 0b11  # abstract UNIX sockets and signals
_ABI_NETWORK = 4
_ABI_SCOPE = 6
_FILE_RIGHTS_SINCE = {2: FileRight.REFER, 3: FileRight.TRUNCATE, 5: FileRight.IOCTL_DEV}

_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1


def abi_version() -> int:
    """The version of Landlock that this kernel has, 0 where it has none or it is switched off at boot."""
    try:
        return call("landlock_create_ruleset", 0, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def has_network(abi: int) -> bool:
    """Whether Landlock of that version judges TCP bind and connect."""
    return abi >= _ABI_NETWORK


def has_scope(abi: int) -> bool:
    """Whether Landlock of that version keeps signals and abstract UNIX sockets inside."""
    return abi >= _ABI_SCOPE


def file_rights(abi: int) -> FileRight:
    """The rights on files that Landlock of that version judges."""
    rights = FileRight(0)
    if abi >= 1:
        rights = FileRight(FileRight.REFER - 1)
        for since, right in _FILE_RIGHTS_SINCE.items():
            if abi >= since:
                rights |= right
    return rights


def deny_everything() -> int:
    """Take every right that Landlock judges from this process: files, TCP, signals and abstract sockets.

    Returns the version that did it; 0: this kernel has no Landlock, and nothing was done. Descriptors that are open
    stay usable. Needs no_new_privs, and a process without threads: others would stay free.
    """
    abi = abi_version()
    deny(everything(abi))
    return abi


def everything(abi: int) -> bytes:
    """For `deny`: every right that Landlock of that version judges."""
    return _attributes(abi, file_rights(abi), network=True) if abi else b""


def deny(attributes: bytes) -> None:
    """As `deny_everything`, what was looked up before."""
    if attributes:
        _restrict(attributes, {})


def allow_only(allowed: Mapping[str, FileRight], *, network: bool) -> int:
    """Leave this process no right on files but those of `allowed`: path → rights on what is at and beneath it.

    Signals and abstract sockets are kept inside; `network` also takes TCP bind and connect. Returns the version of
    Landlock. Raises SandboxError where the kernel has none, or a path can not be opened: an allow-list that is only
    half in force must not pass for one.
    """
    abi = abi_version()
    if not abi:
        raise SandboxError("landlock: this kernel has none, expected 5.13 or later with landlock in its lsm= list")
    handled = file_rights(abi)
    _restrict(_attributes(abi, handled, network=network), {path: rights & handled for path, rights in allowed.items()})
    return abi


def keep_inside() -> bool:
    """Keep signals to, and abstract UNIX sockets of, processes outside out of reach, and leave files alone.

    Returns whether the kernel's Landlock can do that; where it can not, nothing was done.
    """
    abi = abi_version()
    if not has_scope(abi):
        return False
    _restrict(_attributes(abi, FileRight(0), network=False), {})
    return True


def _attributes(abi: int, handled: FileRight, *, network: bool) -> bytes:
    """The structure landlock_ruleset_attr of that version."""
    attributes = struct.pack("=Q", handled)
    if has_network(abi):
        attributes += struct.pack("=Q", _ALL_NETWORK if network else 0)
    if has_scope(abi):
        attributes += struct.pack("=Q", _ALL_SCOPES)
    return attributes


def _restrict(attributes: bytes, allowed: Mapping[str, FileRight]) -> None:
    with refusal("landlock"):
        ruleset = call("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path, rights in allowed.items():
            _allow(ruleset, path, rights)
        with refusal("landlock"):
            call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: FileRight) -> None:
    with refusal(f"landlock: {path}"):
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(beneath).st_mode):
                rights &= OF_FILES
            rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, beneath), 12)
            call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, rule, 0)
        finally:
            os.close(beneath)
