"""From the files of a policy to a compiled one: what is read, and when there is no sense in going on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from pysshd.policy import nodes, values
from pysshd.policy.compile import compile_policy
from pysshd.policy.compile_narrow import options_timezone
from pysshd.policy.cut_texts import warn_cut_texts
from pysshd.policy.files import IncludedFiles, absolute, read_file
from pysshd.policy.include import MAIN, Content, Finder, Fragment, Gatherer, Part, finder_of, folders_of, includes_of
from pysshd.policy.keyfiles import KeyFile, KeyFiles, KeyFolders, parse_key_file
from pysshd.policy.model import Document, parse_policy
from pysshd.policy.outside import program_problem, read_folder
from pysshd.policy.problems import PolicyError, Problem
from pysshd.policy.report import Report, Source, TooManyProblemsError
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.text import MAX_BYTES, decode
from pysshd.policy.tree import MAX_NODES, Nodes, read_tree
from pysshd.policy.version import version_of
from pysshd.records import dataclass

if TYPE_CHECKING:
    from pysshd.policy.casebook import Verdict

_MAX_KEY_FILE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """An accepted policy, and what is to be said of it: warnings, what of its `tests` fails, and what of it this
    version does not serve.

    document, key_files: what it was compiled of. verdicts: on the cases of its `tests`.
    """

    ruleset: Ruleset
    document: Document
    warnings: tuple[Problem, ...] = ()
    key_files: KeyFiles | None = None
    verdicts: "tuple[Verdict, ...]" = ()

    @property
    def tests_failed(self) -> bool:
        """Whether a case of `tests` is decided otherwise than it says."""
        return not all(verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of the files beside a policy; None: it was not looked at. programs: what is wrong with each."""

    key_files: KeyFiles | None = None
    folders: KeyFolders | None = None
    programs: Mapping[str, str] = field(default_factory=dict)


def load_text(
    text: str,
    filename: str = "policy.yaml",
    *,
    key_files: KeyFiles | None = None,
    folders: KeyFolders | None = None,
    language: bool = False,
    included: Mapping[str, str] | None = None,
) -> Loaded:
    """Compile a policy from its text; reads nothing. Raises PolicyError with every problem.

    key_files: what is known of the files that hold keys; None: they are taken to be there. folders: of folders of keys.
    language: as of `load_file`.
    included: texts of other files by their names, for `include` to find; None: there is no folder to look in.
    """
    content = Content(text.encode("utf-8", "surrogatepass"), MAIN)
    find = finder_of(filename, included) if included is not None else None
    around = Around(key_files, folders)
    return _Loading(Report(), find, lambda _: around, language).load(Source(filename, text), content)


def load_file(path: str, *, owner_uids: Collection[int], language: bool = False) -> Loaded:
    """Read, check and compile a policy file with the files that it includes, and check the key files that they name.

    Every file must be a regular one, owned by one of `owner_uids` (root and the service user), and writable by nobody
    else; so must the folders of what is included. Raises PolicyError with every problem. language: judge what is
    written, also where this version of the daemon could not serve it; else a file that asks for such a thing is
    refused, for nothing is accepted and ignored.
    """
    report = Report()
    path = absolute(path)
    content = read_file(path, owner_uids, MAX_BYTES + 1)
    if isinstance(content, str):
        raise PolicyError([Problem(path, 0, 0, content)])
    text = decode(content.data, path, report)
    if text is None:
        raise PolicyError(report.problems)

    def look(document: Document) -> Around:
        zone = values.timezone(options_timezone(document))
        files = {name: _key_file(name, owner_uids, zone) for name in document.key_files()}
        folders = {pattern: read_folder(pattern, owner_uids, zone) for pattern in document.key_folders()}
        paths = {program.words[0].parts[0] for program in document.programs()}
        return Around(files, folders, {path: program_problem(path, owner_uids) for path in paths})

    loaded = _Loading(report, IncludedFiles(owner_uids).find, look, language).load(Source(path, text), content)
    files, folders = tuple(report.sources), folders_of(loaded.document.include)
    return replace(loaded, ruleset=replace(loaded.ruleset, files=files, folders=folders))


def _run_tests(
    document: Document, ruleset: Ruleset, key_files: KeyFiles | None, report: Report
) -> "tuple[Verdict, ...]":
    # Most files that are served have no tests, and a start would wait for what runs them to be imported.
    from pysshd.policy.compile_tests import run_tests

    return run_tests(document, ruleset, key_files, report)


def _key_file(path: str, owner_uids: Collection[int], zone: tzinfo) -> KeyFile:
    content = read_file(path, owner_uids, _MAX_KEY_FILE + 1)
    if isinstance(content, str):
        return KeyFile(problem=content)
    if len(content.data) > _MAX_KEY_FILE:
        return KeyFile(problem=f"it has more than {_MAX_KEY_FILE} bytes")
    return parse_key_file(content.data, path, zone)


@dataclass(frozen=True, slots=True)
class _Loading:
    """One load. find: finds included files; None: the policy is no file, and can include none.

    look: at the files beside it.
    """

    report: Report
    find: Finder | None
    look: Callable[[Document], Around]
    language: bool
    seen: Nodes = field(default_factory=Nodes)

    def load(self, source: Source, content: Content) -> Loaded:
        """Compile what the main file says; PolicyError with every problem."""
        report = self.report
        report.sources[source.file] = source
        try:
            document = self._document(source, content)
            around = self.look(document)
            ruleset = compile_policy(document, around.key_files, report, around.folders, around.programs)
            verdicts = _run_tests(document, ruleset, around.key_files, report) if document.tests else ()
        except TooManyProblemsError:
            raise PolicyError(report.problems) from None
        problems = report.problems
        if report.refused or (not self.language and any(problem.severity == "unserved" for problem in problems)):
            raise PolicyError(problems)
        version = version_of((read.text for read in report.sources.values()), around.key_files, around.folders)
        return Loaded(replace(ruleset, version=version), document, problems, around.key_files, verdicts)

    def _document(self, source: Source, content: Content) -> Document:
        """What the files say. The trees of their texts end with this: they take more room than all that is made of
        them.
        """
        report = self.report
        tree = read_tree(source, report, self.seen)
        if tree is None:
            raise PolicyError(report.problems)
        parts = self._parts(tree, source, content)
        whole = [part for part in parts if part is not None]
        for read in (tree, *(part.tree for part in whole)):
            warn_cut_texts(read, report)
        document = parse_policy(tree, report, whole)
        if None in parts or any(source.damaged for source in report.sources.values()):
            # What that file declares is not known: whoever refers to it would be complained of for nothing.
            raise PolicyError(report.problems)
        return document

    def _parts(self, tree: nodes.Mapping, source: Source, content: Content) -> list[Part | None]:
        """The included files; None: one that could not be found or read, which is reported."""
        node = tree.get("include")
        if node is None:
            return []
        if self.find is None:
            self.report.error(node.mark, "include in a policy that is no file: there is no folder to look in")
            return [None]
        before = self.report.errors
        fragments = Gatherer(source.file, content, self.find, self.report).gather(includes_of(node, self.report))
        lost = [None] if self.report.errors > before else []
        self.report.sources.update({fragment.source.file: fragment.source for fragment in fragments})
        return [*lost, *map(self._part, fragments)]

    def _part(self, fragment: Fragment) -> Part | None:
        if self.seen.count > MAX_NODES:
            return None
        tree = read_tree(fragment.source, self.report, self.seen, included=True)
        return Part(fragment, tree) if tree is not None else None
