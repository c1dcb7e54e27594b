"""Included files on a disk: who may own and write them and the folders on the way; nothing comes in between."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pysshd.policy import files as files_module
from pysshd.policy.files import LINKS_MAX, IncludedFiles
from pysshd.policy.include import Content
from pysshd.policy.load import Loaded, load_file
from pysshd.policy.problems import PolicyError
from tests.policy.support import KEYS

UIDS = frozenset([0, os.geteuid()])
MAIN = 'version: 1\ninclude: [{files: "users.d/*.yaml", may: users}]\n'
ALICE = f'users: {{alice: {{keys: ["{KEYS[0]}"]}}}}\n'


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    for folder in path.parents[:2]:
        folder.chmod(folder.stat().st_mode & ~0o022)
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with a policy that includes one file."""
    write(tmp_path / "policy.yaml", MAIN)
    write(tmp_path / "users.d" / "alice.yaml", ALICE)
    return tmp_path


def load(house: Path) -> Loaded:
    return load_file(str(house / "policy.yaml"), owner_uids=UIDS)


def refused(house: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(house)
    return [str(problem).replace(str(house), "") for problem in caught.value.problems]


def found(house: Path, pattern: str) -> dict[str, bytes | str]:
    """What a pattern leads to: contents, or what is wrong."""
    return {
        one.path.replace(str(house), ""): one.content.data
        if isinstance(one.content, Content)
        else one.content.replace(str(house), "")
        for one in IncludedFiles(UIDS).find(f"{house}/{pattern}")
    }


def test_the_policy_is_of_both_files_and_says_which(house: Path) -> None:
    ruleset = load(house).ruleset
    assert ruleset.people["alice"].where == f"{house}/users.d/alice.yaml:1"
    assert ruleset.files == (f"{house}/policy.yaml", f"{house}/users.d/alice.yaml")
    assert ruleset.folders == (f"{house}/users.d",)


def test_a_policy_of_one_file_says_so(house: Path) -> None:
    write(house / "policy.yaml", "version: 1\n")
    assert (load(house).ruleset.files, load(house).ruleset.folders) == ((f"{house}/policy.yaml",), ())


def test_key_files_lie_beside_the_file_that_names_them(house: Path) -> None:
    write(house / "users.d" / "alice.yaml", "users: {alice: {keys: [{file: alice.pub}]}}\n")
    assert refused(house) == [
        "/users.d/alice.yaml:1:31: key file /users.d/alice.pub: the file can not be opened: No such file or directory"
    ]
    write(house / "users.d" / "alice.pub", f"{KEYS[0]}\n")
    assert load(house).ruleset.people["alice"].keys[0].file == f"{house}/users.d/alice.pub"


# --- what is refused


def mode(path: str, bits: int) -> Callable[[Path], object]:
    return lambda house: (house / path).chmod(bits)


def link(path: str, target: str) -> Callable[[Path], object]:
    return lambda house: (house / path).symlink_to(target.replace("@", str(house)))


AT = "/policy.yaml:2:19: "
GO_W = "and others may write to it: chmod go-w it"
FAULTS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "file of the group": (mode("users.d/alice.yaml", 0o660), [f"/users.d/alice.yaml: the file has mode 0660 {GO_W}"]),
    "file of the world": (mode("users.d/alice.yaml", 0o602), [f"/users.d/alice.yaml: the file has mode 0602 {GO_W}"]),
    "folder of the group": (mode("users.d", 0o770), [f"/users.d: the folder has mode 0770 {GO_W}"]),
    "folder of everybody": (mode("users.d", 0o1777), [f"/users.d: the folder has mode 1777 {GO_W}"]),
    "folder above": (mode(".", 0o777), [f"/users.d:  on the way to it: the folder has mode 0777 {GO_W}"]),
    "a folder": (lambda house: (house / "users.d" / "b.yaml").mkdir(), ["/users.d/b.yaml: it is not a regular file"]),
    "a pipe": (lambda house: os.mkfifo(house / "users.d" / "b.yaml"), ["/users.d/b.yaml: it is not a regular file"]),
    "a device": (link("users.d/b.yaml", "/dev/zero"),
                 ["/users.d/b.yaml: /dev/zero on the way to it: it is not a regular file"]),
    "a link to nothing": (link("users.d/b.yaml", "gone"),
                          ["/users.d/b.yaml: /users.d/gone on the way to it: it can not be opened: No such file or "
                           "directory"]),
    "a link to itself": (link("users.d/b.yaml", "b.yaml"),
                         [f"/users.d/b.yaml: more than {LINKS_MAX} links lead to it, or they go round"]),
    "a link to a folder": (link("users.d/b.yaml", ".."), ["/users.d/b.yaml: it is not a regular file"]),
    "a link through a file": (link("users.d/b.yaml", "alice.yaml/x"),
                              ["/users.d/b.yaml: /users.d/alice.yaml on the way to it: it is not a folder"]),
    "a name that can not be shown": (lambda house: (house / "users.d" / "a\n.yaml").touch(),
                                     ["/users.d: the folder holds 'a\\n.yaml', a name that can not be shown: rename "
                                      "it"]),
    "a name that is no text": (lambda house: Path(os.fsdecode(os.fsencode(house) + b"/users.d/\xff.yaml")).touch(),
                               ["/users.d: the folder holds '\\udcff.yaml', a name that can not be shown: rename it"]),
    "no folder": (lambda house: (house / "users.d").rename(house / "user.d"),
                  ["/users.d: it can not be opened: No such file or directory"]),
    "a file in the place of the folder": (
        lambda house: (house / "users.d").rename(house / "x") and write(house / "users.d", ""),
        ["/users.d: it is not a folder"]),
}  # fmt: skip


@pytest.mark.security("S123")
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_refused(house: Path, fault: str) -> None:
    make, said = FAULTS[fault]
    make(house)
    assert refused(house) == [AT + line for line in said]
    house.chmod(0o700)


@pytest.mark.security("S123")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("users.d/alice.yaml", "/users.d/alice.yaml: the file is owned by uid 4242, expected 0"),
        ("users.d", "/users.d: the folder is owned by uid 4242, expected 0"),
    ],
)
@pytest.mark.root
def test_what_is_another_users_is_refused(house: Path, path: str, said: str) -> None:
    os.chown(house / path, 4242, -1)
    assert refused(house) == [AT + said]


@pytest.mark.root
def test_a_link_of_another_user_is_refused(house: Path) -> None:
    (house / "users.d" / "b.yaml").symlink_to(write(house / "bob.yaml", "users: {bob: {accounts: b}}\n"))
    assert set(load(house).ruleset.people) == {"alice", "bob"}
    os.lchown(house / "users.d" / "b.yaml", 4242, -1)
    assert refused(house) == [f"{AT}/users.d/b.yaml: the link is owned by uid 4242, expected 0"]


def test_the_file_of_somebody_else_is_refused_whoever_looks(house: Path) -> None:
    nobody = IncludedFiles(frozenset([os.geteuid() + 1]))
    if os.geteuid() == 0:
        os.chown(house / "users.d" / "alice.yaml", 4243, -1)
    (one,) = nobody.find(f"{house}/users.d/alice.yaml")
    assert isinstance(one.content, str)
    assert "is owned by uid" in one.content


@pytest.mark.security("S123")
def test_a_file_that_includes_itself_by_another_name_is_refused(house: Path) -> None:
    for number, make in enumerate((Path.symlink_to, Path.hardlink_to)):
        name = house / "users.d" / f"self{number}.yaml"
        make(name, house / "policy.yaml")
    says = "is the policy file, and includes itself (each file of a policy is read once)"
    assert refused(house) == [f"{AT}file /users.d/self{number}.yaml {says}" for number in range(2)]


@pytest.mark.parametrize(("count", "good"), [(16, True), (17, False)])
def test_as_many_links_as_may_lead_to_a_file(house: Path, count: int, good: bool) -> None:
    write(house / "link0", "x")
    for number in range(count):
        (house / f"link{number + 1}").symlink_to(f"link{number}")
    (content,) = found(house, f"link{count}").values()
    assert content == (b"x" if good else "/link1 on the way to it: more than 16 links lead to it, or they go round")


def test_one_file_under_two_names_is_refused(house: Path) -> None:
    (house / "users.d" / "bob.yaml").symlink_to("alice.yaml")
    assert refused(house) == [
        f"{AT}file /users.d/bob.yaml is included twice, the first time as /users.d/alice.yaml (each file of a policy "
        "is read once)"
    ]


def test_a_folder_with_more_names_than_anybody_would_look_through(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "NAMES_MAX", 3)
    for name in "ab":
        (house / "users.d" / name).touch()
    load(house)
    (house / "users.d" / "c").touch()
    assert refused(house) == [f"{AT}/users.d: the folder has more than 3 names in it"]


def test_every_problem_of_every_file_is_told_at_once(house: Path) -> None:
    write(house / "policy.yaml", MAIN.replace("]\n", ", {files: [none.yaml, more.yaml], may: grants}]\nroles: []\n"))
    write(house / "users.d" / "bob.yaml", "users: {bob: {kesy: x}}\n")
    write(house / "users.d" / "carol.yaml", "users: {carol: {\n")
    (house / "users.d" / "dave.yaml").symlink_to("none")
    write(house / "more.yaml", "grants: [{whom: alice}]\n").chmod(0o644)
    assert [line.partition(":")[0] for line in refused(house)] == [
        "/policy.yaml",  # dave, who is a link to nothing
        "/policy.yaml",  # none.yaml
        "/policy.yaml",  # roles
        "/more.yaml",
        "/users.d/bob.yaml",
        "/users.d/carol.yaml",
    ]


# --- what is found


def test_the_files_of_patterns(house: Path) -> None:
    for name in ("teams/a/users.yaml", "teams/b/users.yaml", "teams/b/x.yaml", "teams/.c/users.yaml", "teams/readme"):
        write(house / name, name)
    (house / "teams" / "d").mkdir(mode=0o700)
    (house / "teams" / "e").symlink_to("a")
    assert found(house, "teams/*/users.yaml") == {
        f"/teams/{name}/users.yaml": f"teams/{at}/users.yaml".encode()
        for name, at in (("a", "a"), ("b", "b"), ("e", "a"))
    }
    assert list(found(house, "te?ms/b/*")) == ["/teams/b/users.yaml", "/teams/b/x.yaml"]
    assert found(house, "teams/*/none.yaml") == {}
    assert found(house, "teams/*.yaml") == {}
    assert found(house, "*/*/x.yaml") == {"/teams/b/x.yaml": b"teams/b/x.yaml"}
    assert found(house, "teams/readme/x.yaml") == {"/teams/readme": "it is not a folder"}
    assert found(house, "*/readme/x.yaml") == {"/teams/readme": "it is not a folder"}
    assert found(house, "none/x.yaml") == {"/none": "it can not be opened: No such file or directory"}
    assert found(house, "teams/x.yaml") == {"/teams/x.yaml": "it can not be opened: No such file or directory"}


def test_a_folder_is_no_file(house: Path) -> None:
    assert [(one.path, one.content) for one in IncludedFiles(UIDS).find("/")] == [("/", "it is not a regular file")]
    assert found(house, "users.d") == {"/users.d": "it is not a regular file"}
    write(house / "policy.yaml", "version: 1\ninclude: [{files: '.', may: users}]\n")
    assert refused(house) == ["/policy.yaml:2:19: : it is not a regular file"]


def test_a_folder_that_a_pattern_means_is_judged_as_well(house: Path) -> None:
    write(house / "teams" / "a" / "users.yaml", "a")
    write(house / "teams" / "b" / "users.yaml", "b")
    (house / "teams" / "a").chmod(0o777)
    assert found(house, "teams/*/users.yaml") == {
        "/teams/a": f"the folder has mode 0777 {GO_W}",
        "/teams/b/users.yaml": b"b",
    }


def test_links_are_followed_where_all_that_they_lead_through_is_trusted(house: Path) -> None:
    write(house / "real" / "deep" / "bob.yaml", "bob")
    (house / "users.d" / "bob.yaml").symlink_to("../real/./deep/../deep/bob.yaml")
    (house / "users.d" / "carol.yaml").symlink_to(house / "real" / "deep" / "bob.yaml")
    (house / "v").symlink_to("users.d")
    assert list(found(house, "v/*.yaml").values()) == [ALICE.encode(), b"bob", b"bob"]
    (house / "real").chmod(0o770)
    on_the_way = f"/real on the way to it: the folder has mode 0770 {GO_W}"
    assert found(house, "v/*.yaml") == {
        "/v/alice.yaml": ALICE.encode(), "/v/bob.yaml": on_the_way, "/v/carol.yaml": on_the_way,
    }  # fmt: skip


def test_a_file_behind_a_folder_with_the_sticky_bit(house: Path) -> None:
    """As /tmp is; a file in such a folder itself could be a stranger's name for something else."""
    (house / "tmp").mkdir()
    (house / "tmp").chmod(0o1777)
    write(house / "tmp" / "mine" / "a.yaml", "a")
    (house / "tmp").chmod(0o1777)
    assert found(house, "tmp/mine/*.yaml") == (
        {"/tmp/mine/a.yaml": b"a"}
        if os.geteuid() == 0
        else {"/tmp/mine": f"/tmp on the way to it: the folder has mode 1777 {GO_W}"}
    )
    write(house / "b.yaml", "b").rename(house / "tmp" / "b.yaml")
    (said,) = found(house, "tmp/b.yaml").values()
    assert "the folder has mode 1777" in str(said)


# --- nothing comes in between


@pytest.mark.security("S123")
def test_what_was_judged_is_what_is_read(house: Path) -> None:
    """The folder's name may mean another folder meanwhile: files come from the one that was looked at."""
    write(house / "users.d" / "bob.yaml", "bob")
    finding = IncludedFiles(UIDS).find(f"{house}/users.d/*.yaml")
    assert next(finding).path == f"{house}/users.d/alice.yaml"
    (house / "users.d").rename(house / "old")
    write(house / "evil" / "bob.yaml", "mallory")
    (house / "users.d").symlink_to("evil")
    second = next(finding)
    assert isinstance(second.content, Content)
    assert second.content.data == b"bob"
    assert list(finding) == []


@pytest.mark.security("S123")
def test_a_file_that_is_gone_when_its_turn_comes_is_missed(house: Path) -> None:
    write(house / "users.d" / "bob.yaml", "bob")
    finding = IncludedFiles(UIDS).find(f"{house}/users.d/*.yaml")
    next(finding)
    (house / "users.d" / "bob.yaml").unlink()
    assert [one.content for one in finding] == ["it can not be opened: No such file or directory"]


def test_nothing_is_left_open(house: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for make, _ in FAULTS.values():
        try:
            make(house)
        except OSError:
            continue
    found(house, "users.d/*.yaml")
    found(house, "*/*")
    found(house, "x/y/*")
    next(IncludedFiles(UIDS).find(f"{house}/*"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    house.chmod(0o700)


def test_too_few_descriptors_to_look_are_told_of(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in the way of reading, nothing is taken to be missing."""
    opened, missing = os.open, [""]

    def full(path: str, flags: int, *mode: int, dir_fd: int | None = None) -> int:
        # What is only looked up is there.
        if path == missing[0] and not flags & os.O_PATH:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return opened(path, flags, *mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", full)
    for name, said in ((".", "the folder can not be read: "), ("alice.yaml", "it can not be opened: ")):
        missing[0] = name
        assert any(said + os.strerror(errno.EMFILE) in text for text in refused(house))
