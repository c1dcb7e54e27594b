"""Mounts as descriptors: detached first, given their attributes, and only then put in their place.

So a tree that is to be read-only never is anything else where a program could see it, and no path is read twice.
Linux 5.12 has all of it (open_tree(2), fsopen(2), mount_setattr(2), move_mount(2), openat2(2)).
"""

import os
import struct
from collections.abc import Mapping

from pysshd.processes.sandbox.kernel import call

READ_ONLY = 0x1
NO_SET_USER_ID = 0x2
NO_DEVICES = 0x4
NO_PROGRAMS = 0x8

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 0x1
_FSOPEN_CLOEXEC = 0x1
_FSMOUNT_CLOEXEC = 0x1
_FSCONFIG_SET_STRING = 1
_FSCONFIG_CMD_CREATE = 6
_MOVE_FROM_DESCRIPTOR_TO_DESCRIPTOR = 0x4 | 0x40
_RESOLVE_NO_SYMLINKS_BENEATH = 0x4 | 0x8
_RESOLVE_NO_SYMLINKS = 0x4
_MS_REC_PRIVATE = 0x4000 | 0x4_0000
_PRIVATE = 0x4_0000
_MNT_DETACH = 0x2


def make_private() -> None:
    """Let no mount or unmount of the host come into this namespace later, nor one of ours get out."""
    call("mount", b"none", b"/", 0, _MS_REC_PRIVATE, 0)


def open_path(path: str, *, beneath: int | None = None) -> int:
    """A descriptor of what stands at `path`, opened for nothing but its place; no part may be a symbolic link.

    With `beneath` the path is relative to that folder and can not leave it.
    """
    resolve = _RESOLVE_NO_SYMLINKS if beneath is None else _RESOLVE_NO_SYMLINKS_BENEATH
    how = struct.pack("=QQQ", os.O_PATH | os.O_CLOEXEC, 0, resolve)
    folder = _AT_FDCWD if beneath is None else beneath
    return call("openat2", folder, os.fsencode(path), how, len(how))


def clone(source: int, attributes: int) -> int:
    """A detached copy of the mount tree at descriptor `source`, submounts included, with `attributes` on all of it."""
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_EMPTY_PATH | _AT_RECURSIVE
    tree = call("open_tree", source, b"", flags)
    set_attributes(tree, attributes, recursive=True)
    return tree


def new(kind: str, attributes: int, options: Mapping[str, str]) -> int:
    """A new, detached file system of that kind."""
    context = call("fsopen", kind.encode(), _FSOPEN_CLOEXEC)
    try:
        for key, value in options.items():
            call("fsconfig", context, _FSCONFIG_SET_STRING, key.encode(), value.encode(), 0)
        call("fsconfig", context, _FSCONFIG_CMD_CREATE, 0, 0, 0)
        return call("fsmount", context, _FSMOUNT_CLOEXEC, attributes)
    finally:
        os.close(context)


def set_attributes(mount: int, attributes: int, *, recursive: bool = False) -> None:
    """Add `attributes` to a mount; on each of its submounts too where `recursive`."""
    fields = struct.pack("=QQQQ", attributes, 0, _PRIVATE, 0)
    flags = _AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)
    call("mount_setattr", mount, b"", flags, fields, len(fields))


def attach(mount: int, target: int) -> None:
    """Put a detached mount over what descriptor `target` stands for."""
    call("move_mount", mount, b"", target, b"", _MOVE_FROM_DESCRIPTOR_TO_DESCRIPTOR)


def make_root(mount: int) -> None:
    """Make an attached mount the root and working folder of every process of this namespace, and let go of the old."""
    os.fchdir(mount)
    # The old root ends up on top of the new one, at the same place, and is taken away from there.
    call("pivot_root", b".", b".")
    call("umount2", b".", _MNT_DETACH)
    os.chdir("/")
