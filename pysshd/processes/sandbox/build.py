"""The mount tree of a confined program, built as `tree.plan` says and made the root."""

import contextlib
import os
import stat
from dataclasses import replace

from pysshd.processes.sandbox import mounts
from pysshd.processes.sandbox.process import refusal
from pysshd.processes.sandbox.tree import SYSTEM_FOLDERS, Confinement, Entry, Kind, plan

_HARMLESS = mounts.NO_SET_USER_ID | mounts.NO_DEVICES
_SYSTEM = _HARMLESS | mounts.READ_ONLY
_OF_DEVICES = mounts.NO_SET_USER_ID | mounts.NO_PROGRAMS

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_SKELETON = {"size": "1m", "nr_inodes": "1k", "mode": "755"}
_SCRATCH_FILES = "64k"
_RESOLVER = "/etc/resolv.conf"

# Where the new root stands until it is the root. Any folder would do that every host has.
_STAND = "/usr"


def build_root(confinement: Confinement, terminal: str | None) -> None:
    """Build the tree of `confinement` and make it the root of this mount namespace; nothing of the old one is left.

    Needs the capabilities of a new user namespace, and a new mount and pid namespace. `terminal` is the device of the
    program's terminal, shown as /dev/console so that ttyname(3) finds it. Leaves descriptors open. Raises SandboxError
    where a part can not be had, but for /proc and /dev/pts: a host that masks its own /proc (as in a container) lets
    nobody mount a fresh one, and then there is none, for the host's would show the daemon.
    """
    with refusal("confined: mount tree"):
        mounts.make_private()
    builder = _Builder(confinement, terminal)
    previous = os.umask(0o022)
    builder.build()
    os.umask(previous)


class _Builder:
    """The descriptors that are held between the steps: sources in the old root, then places in the new one."""

    def __init__(self, asked: Confinement, terminal: str | None) -> None:
        self._asked_home = asked.home
        self._confinement = _real(asked)
        system = [path for path in SYSTEM_FOLDERS if os.path.isdir(path)]
        self._links = {path: os.readlink(path) for path in system if os.path.islink(path)}
        self._entries = plan(self._confinement, [path for path in system if path not in self._links])
        # Every source is taken before the first mount, so that nothing which a mount covers is still needed.
        self._sources = {entry.path: _source(entry) for entry in self._entries if entry.kind in _ATTRIBUTES}
        self._devices = _devices(terminal)
        with refusal("confined: root"):
            self._root = mounts.new("tmpfs", _HARMLESS, _SKELETON)
            mounts.attach(self._root, mounts.open_path(_STAND))
            os.close(os.open(".blank", os.O_CREAT | os.O_EXCL, 0, dir_fd=self._root))
            self._blank = mounts.open_path(".blank", beneath=self._root)
        # Made read-only at the end, when every place to mount on is there.
        self._unsealed = [self._root]

    def build(self) -> None:
        """Put every part in its place, then change the root."""
        put = {
            Kind.READ_ONLY: self._put_source,
            Kind.HOME: self._put_source,
            Kind.HIDDEN: self._hide,
            Kind.SCRATCH: self._put_scratch,
            Kind.DEVICES: self._put_devices,
            Kind.PROCESSES: self._put_processes,
        }
        for path, target in self._links.items():
            os.symlink(target, path.removeprefix("/"), dir_fd=self._root)
        for entry in self._entries:
            with refusal(f"confined: {entry.path}"):
                put[entry.kind](entry.path)
        self._link("/var/tmp", "/tmp")
        if self._asked_home != self._confinement.home:
            self._link(self._asked_home, self._confinement.home)
        with refusal("confined: root"):
            os.unlink(".blank", dir_fd=self._root)
            for mount in self._unsealed:
                mounts.set_attributes(mount, mounts.READ_ONLY)
            mounts.make_root(self._root)

    def _put_source(self, path: str) -> None:
        source = self._sources[path]
        mounts.attach(source, self._place(path, folder=_is_folder(source)))

    def _hide(self, path: str) -> None:
        try:
            place = mounts.open_path(path.removeprefix("/"), beneath=self._root)
        except FileNotFoundError:
            return
        if not _is_folder(place):
            mounts.attach(mounts.clone(self._blank, _SYSTEM), place)
            return
        mask = mounts.new("tmpfs", _HARMLESS, _SKELETON | {"mode": "555"})
        mounts.attach(mask, place)
        self._unsealed.append(mask)

    def _put_scratch(self, path: str) -> None:
        mode = "1777" if path == "/tmp" else "755"
        mounts.attach(self._scratch(mode, _HARMLESS), self._place(path, folder=True))

    def _scratch(self, mode: str, attributes: int) -> int:
        options = {"size": str(self._confinement.scratch_bytes), "nr_inodes": _SCRATCH_FILES, "mode": mode}
        return mounts.new("tmpfs", attributes, options)

    def _put_processes(self, path: str) -> None:
        place = self._place(path, folder=True)
        with contextlib.suppress(PermissionError):
            mounts.attach(mounts.new("proc", _HARMLESS | mounts.NO_PROGRAMS, {}), place)

    def _put_devices(self, path: str) -> None:
        folder = mounts.new("tmpfs", _OF_DEVICES, _SKELETON)
        mounts.attach(folder, self._place(path, folder=True))
        self._unsealed.append(folder)
        for name, device in self._devices.items():
            os.close(os.open(name, os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder))
            mounts.attach(device, mounts.open_path(name, beneath=folder))
        for name, target in _DEVICE_LINKS.items():
            os.symlink(target, name, dir_fd=folder)
        os.mkdir("shm", dir_fd=folder)
        shared_memory = self._scratch("1777", _HARMLESS | mounts.NO_PROGRAMS)
        mounts.attach(shared_memory, mounts.open_path("shm", beneath=folder))
        os.mkdir("pts", dir_fd=folder)
        with contextlib.suppress(PermissionError):
            terminals = mounts.new("devpts", _OF_DEVICES, {"mode": "620", "ptmxmode": "666"})
            mounts.attach(terminals, mounts.open_path("pts", beneath=folder))

    def _place(self, path: str, *, folder: bool) -> int:
        """A descriptor of `path` in the new root, where what is missing on the way is made."""
        *folders, name = path.removeprefix("/").split("/")
        place = self._root
        for part in folders:
            place = _folder_in(place, part)
        if folder:
            return _folder_in(place, name)
        try:
            return mounts.open_path(name, beneath=place)
        except FileNotFoundError:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL, 0o600, dir_fd=place))
            return mounts.open_path(name, beneath=place)

    def _link(self, path: str, target: str) -> None:
        # Where the way leads through the system's own links, or the name is taken, the link is there already.
        with contextlib.suppress(OSError):
            parent, _, name = path.rpartition("/")
            os.symlink(target, name, dir_fd=self._place(parent, folder=True))


_ATTRIBUTES = {Kind.READ_ONLY: _SYSTEM, Kind.HOME: _HARMLESS}


def _real(asked: Confinement) -> Confinement:
    read_only = [os.path.realpath(path) for path in asked.read_only]
    resolver = os.path.realpath(_RESOLVER)
    if os.path.isfile(resolver) and f"/{resolver.split('/')[1]}" not in SYSTEM_FOLDERS:
        # It often is a link into /run, which is not there: without it the program could resolve no names.
        read_only.append(resolver)
    return replace(
        asked,
        home=os.path.realpath(asked.home) if asked.home else "",
        hidden=tuple(os.path.realpath(path) for path in asked.hidden),
        read_only=tuple(read_only),
    )


def _source(entry: Entry) -> int:
    with refusal(f"confined: {entry.path}"):
        return mounts.clone(mounts.open_path(entry.path), _ATTRIBUTES[entry.kind])


def _devices(terminal: str | None) -> dict[str, int]:
    paths = {name: f"/dev/{name}" for name in _DEVICES} | ({"console": terminal} if terminal else {})
    clones = {}
    for name, path in paths.items():
        with refusal(f"confined: {path}"), contextlib.suppress(FileNotFoundError):
            clones[name] = mounts.clone(mounts.open_path(path), _OF_DEVICES)
    return clones


def _folder_in(folder: int, name: str) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=folder)
    return mounts.open_path(name, beneath=folder)


def _is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)
