"""The document as a whole: its sections, read record by record, so that one bad record hides no problem of another."""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence as SequenceOf
from dataclasses import field
from typing import Final, TypeVar

from pysshd.policy.fields import name
from pysshd.policy.fields_places import Place, address
from pysshd.policy.fields_programs import Argv
from pysshd.policy.include import Fragment, Part, includes_of, joined, stands_twice
from pysshd.policy.model_authorities import AuthorityModel
from pysshd.policy.model_combined import check_grant, check_role
from pysshd.policy.model_entries import GrantModel, LoginModel, RoleModel
from pysshd.policy.model_include import MAIN_ONLY, IncludeModel
from pysshd.policy.model_settings import CryptoModel, LimitsModel, ServerModel, UserDefaultsModel, UserModel
from pysshd.policy.model_sources import SourceModel, check_source
from pysshd.policy.model_tests import CaseModel
from pysshd.policy.nodes import Broken, Mapping, Node, Scalar
from pysshd.policy.other_words import of_sshd
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Record, check, items, listed, mapped, read, scalar
from pysshd.policy.report import NOT_YET, Report, meant, one_of, show
from pysshd.records import dataclass

VERSION: Final = "1"
SECTIONS: Final = (
    "version",
    "include",
    "server",
    "crypto",
    "limits",
    "networks",
    "users",
    "user_defaults",
    "groups",
    "sources",
    "authorities",
    "login",
    "roles",
    "grants",
    "tests",
)
SECTIONS_LATER: Final = frozenset(["audit", "logging", "revoked"])
BUILT_IN: Final = frozenset(["login-shell", "sftp", "sftp-readonly"])

_WHY_ONE: Final = {"system": "the host has one", "command": "let one program ask the others"}

R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Document:
    """What was read. A value of None in a table: the record stands there, but it has an error.

    loose: what could be read of people and entries that have an error: only what they refer to counts.
    broken: sections in which a record has an error; checks that need the whole section leave it alone.
    unread: whether there is a folder of people that was not read; `compile` says it.
    """

    mark: Mark
    include: list[IncludeModel] = field(default_factory=list)
    server: ServerModel | None = None
    crypto: CryptoModel | None = None
    limits: LimitsModel | None = None
    networks: dict[str, tuple[Mark, tuple[Place, ...] | None]] = field(default_factory=dict)
    users: dict[str, tuple[Mark, UserModel | None]] = field(default_factory=dict)
    groups: dict[str, Mark] = field(default_factory=dict)
    sources: list[SourceModel] = field(default_factory=list)
    user_defaults: UserDefaultsModel | None = None
    authorities: dict[str, tuple[Mark, AuthorityModel | None]] = field(default_factory=dict)
    login: list[LoginModel] | None = None
    roles: dict[str, tuple[Mark, RoleModel | None]] = field(default_factory=dict)
    grants: list[GrantModel] = field(default_factory=list)
    grant_names: list[str] = field(default_factory=list)
    tests: list[CaseModel] = field(default_factory=list)
    loose: list[Record] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    unread: bool = False

    def key_files(self) -> tuple[str, ...]:
        """The files that hold people's keys, and those of authorities."""
        found: dict[str, None] = {}
        for _, owner in (*self.users.values(), *self.authorities.values()):
            for key in (owner.keys or ()) if owner is not None else ():
                if key.file is not None:
                    found[key.file.text] = None
        return tuple(found)

    def key_folders(self) -> tuple[str, ...]:
        """The patterns of the folders in which each file has the keys of one person."""
        return tuple(source.directory.text for source in self.sources if source.directory is not None)

    def programs(self) -> tuple[Argv, ...]:
        """The programs that are asked for keys."""
        asking = [one.command for source in self.sources for one in source.asking]
        return tuple(command for command in asking if command is not None)

    @property
    def open_ended(self) -> bool:
        """Whether there may be people whom nobody knows before they come: of the host, or by a program's word."""
        return any(source.directory is None for source in self.sources)

    @property
    def all_known(self) -> bool:
        """Whether everybody is known who could be a person now: of `users`, or of folders that were read."""
        return not (self.open_ended or self.authorities or self.unread)


def parse_policy(tree: Mapping, report: Report, parts: SequenceOf[Part] = ()) -> Document:
    """Read a document, of a main file and what it includes; what could not be read is reported and left out."""
    return _Reader(tree, parts, report).read()


_RECORDS: Final[MappingOf[str, type[Record]]] = {
    "server": ServerModel, "limits": LimitsModel, "crypto": CryptoModel, "a person of users": UserModel,
    "an entry of grants": GrantModel, "an entry of login": LoginModel, "a role": RoleModel,
}  # fmt: skip


def _not_indented(key: Scalar) -> str:
    """What to do about a key that belongs into a section, and stands in the first column."""
    owner = next((what for what, model in _RECORDS.items() if key.text in model.key_names()), None)
    return f"it is a key of {owner}: indent it below" if owner is not None else ""


class _Reader:
    def __init__(self, tree: Mapping, parts: SequenceOf[Part], report: Report) -> None:
        self._tree = tree
        self._parts = parts
        self._report = report
        self._document = Document(tree.mark)
        self._fragment: Fragment | None = None
        """The included file that is being read; None: the main file."""
        self._defaults: list[Mapping] = []
        self._named: dict[str, Mark] = {}

    def read(self) -> Document:
        """Every section in its turn."""
        readers: dict[str, Callable[[Node], None]] = {
            "version": self._version,
            "include": self._include,
            "server": self._server,
            "crypto": self._crypto,
            "limits": self._limits,
            "networks": self._networks,
            "users": self._users,
            "groups": self._groups,
            "user_defaults": self._user_defaults,
            "sources": self._sources,
            "authorities": self._authorities,
            "login": self._login,
            "roles": self._roles,
            "grants": self._grants,
            "tests": self._tests,
        }
        if "version" not in self._tree:
            self._report.error(self._tree.mark, "key 'version' is missing, expected 'version: 1'")
        for tree, fragment in ((self._tree, None), *((part.tree, part.fragment) for part in self._parts)):
            self._fragment = fragment
            for key, node in tree.entries:
                if self._is_read(key):
                    before = self._report.errors
                    readers[key.text](node)
                    if self._report.errors > before:
                        self._document.broken.add(key.text)
        self._join_defaults()
        return self._document

    def _is_read(self, key: Scalar) -> bool:
        """Whether a section is read, where it stands; reported where it may not be there."""
        allowed = SECTIONS if self._fragment is None else tuple(self._fragment.may)
        if key.text in allowed:
            return True
        if key.text in SECTIONS_LATER:
            self._report.error(key.mark, f"section {show(key.text)} {NOT_YET}")
        elif key.text in MAIN_ONLY:
            self._report.error(key.mark, f"section {show(key.text)} stands in the main file only")
        elif self._fragment is not None and key.text in SECTIONS:
            where = next(iter(self._fragment.may.values())).where
            self._report.error(key.mark, f"section {show(key.text)} may not stand in this file, which may hold "
                                         f"{one_of(allowed)} by {where}")  # fmt: skip
            # What stands in it is known all the same, so that nobody is complained of who refers to it.
            return True
        else:
            hint = of_sshd(key.text) or meant(key.text, allowed) or _not_indented(key)
            self._report.error(key.mark, f"unknown key {show(key.text)}, expected one of {', '.join(allowed)}", hint)
        return False

    def _include(self, node: Node) -> None:
        self._document.include = includes_of(node, self._report)

    def _version(self, node: Node) -> None:
        found = check(node, lambda node: scalar(node, "1"), self._report)
        if found is not None and found.text != VERSION:
            self._report.error(found.mark, f"found version {show(found.text)}, expected {VERSION}")

    def _server(self, node: Node) -> None:
        self._document.server = server = read(ServerModel, node, self._report)
        seen: dict[str, Mark] = {}
        for entry in (server.listen or ()) if server is not None else ():
            found = entry.name
            if found is not None and seen.setdefault(found.text, found.mark) is not found.mark:
                where = seen[found.text].where
                self._report.error(found.mark, f"listener {show(found.text)} stands twice, the first time at {where}",
                                   "put both addresses into one entry")  # fmt: skip

    def _crypto(self, node: Node) -> None:
        loose: list[Record] = []
        found = read(CryptoModel, node, self._report, loose)
        # What could be read is looked at all the same, for its names.
        rest = next((record for record in loose if isinstance(record, CryptoModel)), None)
        self._document.crypto = found or rest

    def _limits(self, node: Node) -> None:
        self._document.limits = limits = read(LimitsModel, node, self._report)
        startups = limits.startups if limits is not None else None
        if startups is not None and startups.start > startups.full:
            self._report.error(startups.mark, f"start is {startups.start} and full {startups.full}, expected start "
                                              "to be at most full")  # fmt: skip

    def _table(
        self, node: Node, what: str, known: MappingOf[str, tuple[Mark, object]]
    ) -> Iterator[tuple[Scalar, Node]]:
        """What a section of names says. known: what other files say."""
        found = check(node, lambda node: mapped(node, f"names of {what}"), self._report)
        for key, value in found.entries if found is not None else ():
            if check(key, name, self._report) is not None:
                if key.text in known:
                    stands_twice(self._report, f"key {show(key.text)}", key.mark, known[key.text][0])
                yield key, value

    def _networks(self, node: Node) -> None:
        for key, value in self._table(node, "networks and their addresses", self._document.networks):
            if all(char in "0123456789." for char in key.text):
                self._report.error(key.mark, f"network {show(key.text)} is named like an address")
            places = [check(item, address, self._report) for item in check(value, items, self._report) or ()]
            whole = tuple(place for place in places if place is not None)
            complete = bool(places) and len(whole) == len(places)
            self._document.networks.setdefault(key.text, (key.mark, whole if complete else None))

    def _users(self, node: Node) -> None:
        for key, value in self._table(node, "people", self._document.users):
            if self._is_key_of(UserModel, key, value, "person"):
                continue
            user = read(UserModel, value, self._report, self._document.loose)
            self._document.users.setdefault(key.text, (key.mark, user))

    def _is_key_of(self, model: type[Record], key: Scalar, value: Node, what: str) -> bool:
        """Whether a key of a record stands where a name is expected: it was not indented enough."""
        found = key.text in model.key_names() and not isinstance(value, Mapping | Broken)
        if found:
            self._report.error(key.mark, f"{show(key.text)} stands where the name of a {what} is expected",
                               f"indent it further than the name of the {what} that it belongs to")  # fmt: skip
        return found

    def _groups(self, node: Node) -> None:
        if isinstance(node, Mapping):
            self._report.error(node.mark, "found keys and values, expected a list of names",
                               "who is in a group is said by groups of each person")  # fmt: skip
            return
        for item in check(node, items, self._report) or ():
            group = check(item, name, self._report)
            if group is None:
                continue
            if group.text in self._document.groups:
                stands_twice(self._report, f"group {show(group.text)}", group.mark, self._document.groups[group.text])
            self._document.groups.setdefault(group.text, group.mark)

    def _sources(self, node: Node) -> None:
        for item in check(node, listed, self._report) or ():
            source = read(SourceModel, item, self._report, self._document.loose)
            if source is not None and self._check_source(source):
                self._document.sources.append(source)

    def _check_source(self, source: SourceModel) -> bool:
        kinds = source.kinds
        if not kinds:
            self._report.error(source.mark, "a source without its kind, expected system: {min_uid: 1000}, directory: "
                                            "'keys/*.pub' or command: [PROGRAM, '{user}']")  # fmt: skip
            return False
        if len(kinds) > 1:
            self._report.error(source.mark_of(kinds[1]), f"{kinds[1]} beside {kinds[0]}, expected one kind",
                               "write two items, each of its kind")  # fmt: skip
            return False
        check_source(source, self._report)
        before = [one for one in self._document.sources if one.kinds == kinds]
        if source.directory is None and before:
            self._report.error(source.mark, f"a second source of the kind {kinds[0]}, expected one: "
                                            f"{_WHY_ONE[kinds[0]]}")  # fmt: skip
        same = [one for one in before if one.directory is not None and source.directory is not None
                and one.directory.text == source.directory.text]  # fmt: skip
        if same:
            assert source.directory is not None
            self._report.error(source.mark, f"directory {show(source.directory.text)} stands twice, the first time at "
                                            f"{same[0].mark.where}")  # fmt: skip
        return True

    def _user_defaults(self, node: Node) -> None:
        found = check(node, lambda node: mapped(node, UserDefaultsModel.expected()), self._report)
        if found is not None:
            self._defaults.append(found)

    def _join_defaults(self) -> None:
        """The one record that all files say together."""
        before = self._report.errors
        whole = joined(self._defaults, self._report)
        if whole is not None:
            self._document.user_defaults = read(UserDefaultsModel, whole, self._report, self._document.loose)
        if self._report.errors > before:
            self._document.broken.add("user_defaults")

    def _authorities(self, node: Node) -> None:
        for key, value in self._table(node, "authorities", self._document.authorities):
            authority = read(AuthorityModel, value, self._report)
            self._document.authorities.setdefault(key.text, (key.mark, authority))

    def _login(self, node: Node) -> None:
        self._document.login = []
        for item in check(node, listed, self._report) or ():
            entry = read(LoginModel, item, self._report, self._document.loose)
            if entry is None:
                continue
            if (entry.methods is None) == (entry.refuse is None):
                self._report.error(entry.mark, "a login entry needs either methods or refuse, and not both")
                self._document.loose.append(entry)
            else:
                self._document.login.append(entry)

    def _roles(self, node: Node) -> None:
        for key, value in self._table(node, "roles and their permissions", self._document.roles):
            if self._is_key_of(RoleModel, key, value, "role"):
                continue
            if key.text in BUILT_IN:
                self._report.error(key.mark, f"role {show(key.text)} is built in, and its name is reserved")
            role = read(RoleModel, value, self._report)
            if role is not None:
                check_role(role, self._report)
            self._document.roles.setdefault(key.text, (key.mark, role))

    def _grants(self, node: Node) -> None:
        of_file = f" of {self._fragment.name}" if self._fragment is not None else ""
        for number, item in enumerate(check(node, listed, self._report) or (), 1):
            grant = read(GrantModel, item, self._report, self._document.loose)
            if grant is None:
                continue
            if not check_grant(grant, self._report):
                self._document.loose.append(grant)
                continue
            own = grant.name.text if grant.name is not None else f"grant {number}{of_file}"
            if grant.name is not None and own in self._named:
                stands_twice(self._report, f"grant {show(own)}", grant.name.mark, self._named[own])
            if grant.name is not None:
                self._named.setdefault(own, grant.name.mark)
            self._document.grants.append(grant)
            self._document.grant_names.append(own)

    def _tests(self, node: Node) -> None:
        for item in check(node, listed, self._report) or ():
            case = read(CaseModel, item, self._report)
            if case is not None:
                self._document.tests.append(case)
