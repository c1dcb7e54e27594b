"""The rows of the tables, one by one: a row that is lost or misspelt is a right that is lost, or a warning.

What stands here is written out once more, and not taken from the tables.
"""

from collections.abc import Callable

import pytest

from pysshd.policy.query import Exec
from tests.policy.support import ask, load, warnings

Asked = Callable[..., bool]


def words(text: str) -> list[str]:
    return text.split()


# rsync: the options of 3.2 to 3.5 of which it is known what they reach.

SWITCHES = words("""
append append-verify atimes checksum compress crtimes delay-updates delete delete-after delete-before delete-delay
delete-during delete-excluded delete-missing-args dirs existing fake-super force force-change fsync fuzzy hard-links
ignore-errors ignore-existing ignore-missing-args ignore-non-existing inplace itemize-changes list-only mkpath
munge-links new-compress no-D no-R no-W no-compress no-i-r no-implied-dirs no-inc-recursive no-msgs2stderr no-r
no-relative no-whole-file numeric-ids old-compress omit-dir-times omit-link-times one-file-system open-noatime partial
preallocate prune-empty-dirs safe-links size-only sparse specials stats times use-qsort whole-file
""")
NUMBERS = words("""
block-size bwlimit checksum-seed compress-level max-delete max-size min-size modify-window timeout stop-after
""")
NAMED = words("checksum-choice chmod compress-choice groupmap iconv log-format out-format outbuf skip-compress usermap")
FOLDERS = words("backup-dir compare-dest copy-dest link-dest temp-dir partial-dir")
UNKNOWN = words("""
files-from log-file write-batch only-write-batch read-batch include-from exclude-from password-file copy-as rsh
rsync-path remote-option copy-links copy-dirlinks keep-dirlinks copy-unsafe-links copy-devices write-devices devices
super debug info verbose relative protect-args secluded-args daemon config trust-sender fuzzy-basis
""")


@pytest.fixture(name="rsync", scope="module")
def permitted() -> Asked:
    rules = load("grants: [{who: alice, allow: {exec: {profile: rsync, paths: /srv}, confined: true}}]\n")

    def asked(options: str, sender: bool = False) -> bool:
        head = "--sender " if sender else ""
        return ask(rules, Exec(f"rsync --server {head}-re.Lsf {options} . /srv/x".encode())).allowed

    return asked


@pytest.mark.parametrize("name", SWITCHES)
def test_switches_of_rsync(rsync: Asked, name: str) -> None:
    assert rsync(f"--{name}")
    assert rsync(f"--{name}", sender=True)
    assert not rsync(f"--{name}=1")
    assert not rsync(f"--x{name}")


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_rsync(rsync: Asked, name: str) -> None:
    assert rsync(f"--{name}=12")
    assert rsync(f"--{name}=-1")
    assert not rsync(f"--{name}")
    assert not rsync(f"--{name}=")
    assert not rsync(f"--{name}=1k")
    assert rsync(f"--{name}={'1' * 18}")
    assert not rsync(f"--{name}={'1' * 19}")


@pytest.mark.parametrize("name", NAMED)
def test_values_of_rsync(rsync: Asked, name: str) -> None:
    assert rsync(f"--{name}=a.B,c:1=_%+/@-")
    assert rsync(f"--{name}={'a' * 256}")
    assert not rsync(f"--{name}={'a' * 257}")
    assert not rsync(f"--{name}='a b'")
    assert not rsync(f"--{name}=")
    assert not rsync(f"--{name}")


def test_the_suffix_of_rsync_is_no_path(rsync: Asked) -> None:
    assert rsync("--suffix=.old-1_%+@,:")
    assert rsync(f"--suffix={'a' * 64}")
    assert not rsync(f"--suffix={'a' * 65}")
    assert not rsync("--suffix=/../x")
    assert not rsync("--suffix")


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_rsync(rsync: Asked, name: str) -> None:
    assert rsync(f"--{name} /srv/old")
    assert rsync(f"--{name}=/srv/old")
    assert not rsync(f"--{name} /etc")
    assert not rsync(f"--{name}=/etc")
    assert not rsync(f"--{name}=")
    assert not rsync(f"--{name} /srv/old", sender=True)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_rsync_is_not_given(rsync: Asked, name: str) -> None:
    for sender in (False, True):
        assert not rsync(f"--{name}", sender)
        assert not rsync(f"--{name}=/srv/x", sender)
        assert not rsync(f"--{name} /srv/x", sender)


@pytest.mark.parametrize("name", ["remove-source-files", "remove-sent-files"])
def test_what_removes_is_for_senders(rsync: Asked, name: str) -> None:
    assert rsync(f"--{name}", sender=True)
    assert not rsync(f"--{name}")


@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
def test_letters_of_rsync(rsync: Asked, letter: str) -> None:
    served = letter in "ACDEHIJNOSUWXbcdghilmnopqrtuxyz"
    assert rsync(f"-{letter}") == (served or letter == "v")
    assert rsync(f"-{letter}", sender=True) == (served or letter in "Rv")


# Programs that run others, of which `check` warns.

INTERPRETERS = words("""
sh ash bash rbash busybox csh dash fish ksh mksh tcsh zsh awk gawk mawk nawk expect gdb lua luajit node nodejs perl php
pwsh pypy python ruby tclsh
""")
ASIDE = words("ed emacs ex less man more most mutt nano nvim screen su tmux vi view vim")
BY_THE_WAY = words("crontab docker find git make nerdctl podman rsync ssh tar zip")
CODE = words("-c -ce -ec -lc -ic -e -E -m -r --command --eval -ne -pe")
STARTERS = {
    "chroot /x": "", "chrt": "T P D", "doas": "u C", "env": "u C", "flock x": "w E", "ionice": "c n", "nice": "n",
    "nohup": "", "nsenter": "t S G", "runuser": "u g G", "setsid": "", "stdbuf": "i o e",
    "strace": "e E o p P s S u", "sudo": "C D R T U g h p r t u", "systemd-run": "E H M p u", "taskset 3": "",
    "time": "f o", "timeout 5": "k s", "unshare": "R S G w", "watch": "n", "xargs": "E I L P a d n s",
}  # fmt: skip
"""Each with the words of its own before the program, and its options that have a value."""


def told(*items: str) -> list[str]:
    """What is said of each of these patterns, in their order."""
    listed = ", ".join(f'"{item}"' for item in items)
    text = warnings(f"grants: [{{who: alice, allow: {{exec: [{listed}], confined: true}}}}]")
    return [
        line.removeprefix("exec: ").replace(" (confined) is as good as exec: any", "") for line in text.splitlines()
    ]


def test_programs_that_run_what_they_are_given() -> None:
    said = "runs what comes in by its standard input"
    assert told(*INTERPRETERS) == [f"{name}: {name} {said}" for name in INTERPRETERS]
    versions = [f"/usr/bin/{name}-1.2" for name in INTERPRETERS]
    assert told(*versions) == [f"{path}: {name}-1.2 {said}" for path, name in zip(versions, INTERPRETERS, strict=True)]
    assert told("x", "shy", "bashful", "python3x", "perl5.a") == []


def test_code_of_programs_that_run_what_they_are_given() -> None:
    assert told(*(f"bash {option} x?" for option in CODE)) == [
        f"bash {option} x?: bash runs what x? stands for" for option in CODE
    ]
    assert told("bash -x x?", "bash --version-? x", "bash /opt/x?") == []


def test_programs_from_within_which_others_are_started() -> None:
    said = "starts other programs from within it"
    assert told(*(f"{name} x" for name in ASIDE)) == [f"{name} x: whoever uses {name} {said}" for name in ASIDE]


def test_programs_that_start_others_where_their_words_say_so() -> None:
    said = "starts other programs where its words say so"
    assert told(*(f"{name} *" for name in BY_THE_WAY)) == [f"{name} *: {name} {said}" for name in BY_THE_WAY]
    assert told(*(f"{name} x *" for name in BY_THE_WAY)) == [f"find x *: find {said}"]
    assert told(*(f"{name} x" for name in BY_THE_WAY)) == []


def test_programs_that_start_the_one_behind_them() -> None:
    for start, valued in STARTERS.items():
        said = "sh runs what comes in by its standard input"
        assert told(f"{start} sh") == [f"{start} sh: {said}"]
        assert told(f"{start} uptime") == []
        assert told(f"{start} -Z sh") == [f"{start} -Z sh: {said}"]
        name = start.split(" ")[0]
        for option in valued.split():
            # The word behind the option is its value, and no program.
            assert told(f"{name} -{option} sh {start.partition(' ')[2]} uptime".replace("  ", " ")) == []
            assert len(told(f"{name} -{option} x {start.partition(' ')[2]} sh".replace("  ", " "))) == 1
