"""Ready-made exec profiles: what a profile says, what a client asked of its program, and where that lies.

A profile reads the request's words strictly, and has the program run without a shell by words of its own making: every
path absolute and inside what it permits, every option one that it knows. What it does not know it does not permit.
"""

import posixpath
from typing import TypeAlias

from pysshd.patterns.slots import Values, filled
from pysshd.policy.templates import Template
from pysshd.records import dataclass

Parts: TypeAlias = tuple[str, ...]
"""A plain absolute path, part by part; the root has none."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One `{profile: …}` of `exec`.

    name: the program, `git`, `rsync`, `borg` or `scp`.
    paths: folders, each of which is permitted with all that is below it.
    relative_to: where a relative path of the client begins; None: it is not permitted.
    read_only, write_only: the directions that it permits; append_only, quota (a number of bytes): of borg alone.
    """

    name: str
    paths: tuple[Template, ...]
    relative_to: Template | None = None
    read_only: bool = False
    write_only: bool = False
    append_only: bool = False
    quota: int | None = None

    @property
    def is_everywhere(self) -> bool:
        """Whether the whole host is permitted."""
        return any(template.parts == ("/",) for template in self.paths)

    def __str__(self) -> str:
        paths = f"paths: [{', '.join(str(path) for path in self.paths)}]"
        more = [f"relative_to: {self.relative_to}"] if self.relative_to is not None else []
        more += [f"{key}: true" for key in ("read_only", "write_only", "append_only") if getattr(self, key)]
        more += [f"quota: {self.quota}B"] if self.quota is not None else []
        return f"{{{', '.join([f'profile: {self.name}', paths, *more])}}}"


@dataclass(frozen=True, slots=True)
class Target:
    """A path of the request, which must lie inside.

    exact: it is handed on as it was written, but for its base.
    suffix: what the program tries behind the path too, where it finds nothing at the path itself.
    """

    text: str
    exact: bool = False
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Aside:
    """A folder that an option names, relative to the target of the request; it must lie inside too."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a profile understands.

    head, rest: the words of the program, before and behind those that the profile adds.
    reads, writes: what would be done at the paths.
    """

    head: tuple[str, ...]
    rest: tuple[str | Target | Aside, ...] = ()
    reads: bool = False
    writes: bool = False

    @property
    def targets(self) -> tuple[Target, ...]:
        """The paths that it names."""
        return tuple(word for word in self.rest if isinstance(word, Target))


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a profile for one person: `roots` without those whose slots have no value."""

    roots: tuple[Parts, ...]
    base: str | None
    whole: bool

    def argument(self, word: str | Target | Aside, asked: Asked) -> str | None:
        """A word as the program gets it, or None where it leads outside."""
        if isinstance(word, str):
            return word
        if isinstance(word, Aside):
            return self._aside(word, asked)
        path = self.absolute(word.text)
        if path is None or ".." in path.split("/"):
            return None
        parts = parts_of(path)
        if not self._has(parts):
            return None
        if word.exact:
            return path
        # A permitted folder with the suffix would be another one; what is below one stays there.
        apart = word.suffix and not any(parts[: len(root)] == root != parts for root in self.roots)
        return "/" + "/".join((*parts, ".") if apart else parts)

    def absolute(self, path: str) -> str | None:
        """A path that does not begin with `/` is taken from the base; None where there is none."""
        if path.startswith("/"):
            return path
        return f"{self.base}/{path}" if self.base is not None else None

    def _aside(self, word: Aside, asked: Asked) -> str | None:
        base = self.absolute(asked.targets[0].text) if asked.targets else None
        if base is None:
            return None
        # `..` is undone on the text, so that no link on the way can lead elsewhere.
        parts = parts_of(posixpath.normpath(posixpath.join(base, word.text)))
        return "/" + "/".join(parts) if self._has(parts) else None

    def could_have(self, asked: Asked) -> bool:
        """For a deny: whether something that was asked for could lie inside."""
        texts = [text for word in asked.targets for text in dict.fromkeys((word.text, word.text + word.suffix))]
        paths = [self.absolute(text) for text in texts]
        if not self.whole or not paths or any(isinstance(word, Aside) for word in asked.rest):
            return True
        return any(path is None or ".." in path.split("/") or self._has(parts_of(path)) or self._is_above(path)
                   for path in paths)  # fmt: skip

    def _has(self, parts: Parts) -> bool:
        return any(parts[: len(root)] == root for root in self.roots)

    def _is_above(self, path: str) -> bool:
        """Whether a whole tree is asked for in which one of the folders lies."""
        parts = parts_of(path)
        return any(root[: len(parts)] == parts for root in self.roots)


def parts_of(path: str) -> Parts:
    """The parts of a path, without empty ones and `.`."""
    return tuple(part for part in path.split("/") if part not in ("", "."))


def places_of(profile: Profile, values: Values) -> Places:
    """The folders of a profile with the slots filled."""
    found = [filled(template.parts, values) for template in profile.paths]
    base = filled(profile.relative_to.parts, values) if profile.relative_to is not None else None
    return Places(tuple(parts_of(path) for path in found if path is not None), base, None not in found)
