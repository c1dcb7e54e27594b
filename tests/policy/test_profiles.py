"""Profiles: what real clients send, what is run for it, and what is not permitted.

The command lines are those that git 2.39, rsync 3.5, borg 1.2 and scp of OpenSSH give to their `ssh`.
"""

import string

import pytest

from pysshd.policy.query import Exec
from pysshd.policy.ways import Program, ShellCommand, Words
from tests.policy.support import PASSWORD, ask, load, warnings


def run(profile: str, command: str, **known: str) -> str | None:
    """The words that are run for a command of alice, joined; None where it is refused."""
    found = ask(
        load(f"grants: [{{who: alice, allow: {{exec: {{{profile}}}, confined: true}}}}]"), Exec(command.encode())
    )
    if found.way is None:
        return None
    assert isinstance(found.way, Program)
    return b" ".join(found.way.argv).decode()


GIT = "profile: git, paths: [/srv/git, '/home/{user}'], relative_to: /srv/git"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("git-upload-pack 'x.git'", "git upload-pack /srv/git/x.git"),
        ("git-upload-pack '/srv/git/x'", "git upload-pack /srv/git/x"),
        ("git-upload-pack '/srv/git//./x/'", "git upload-pack /srv/git/x"),
        ("git-receive-pack '/srv/git/x.git'", "git receive-pack /srv/git/x.git"),
        ("git receive-pack '/srv/git/x.git'", "git receive-pack /srv/git/x.git"),
        ("git-upload-archive '/srv/git/x'", "git upload-archive /srv/git/x"),
        ("git-upload-pack '/home/alice/x'", "git upload-pack /home/alice/x"),
        ("git-upload-pack '/srv/git/o'\\''x'", "git upload-pack /srv/git/o'x"),
        ("git-upload-pack '/home/bob/x'", None),
        ("git-upload-pack '/srv/git/../x'", None),
        ("git-upload-pack '/srv/gitx'", None),
        ("git-upload-pack '../x'", None),
        ("git-upload-pack '~a/x'", None),
        ("git-upload-pack ''", None),
        ("git-upload-pack", None),
        ("git-upload-pack --strict /srv/git/x", None),
        ("git-upload-pack -x", None),
        ("git-upload-pack /srv/git/x /srv/git/y", None),
        ("git-shell -c x", None),
        ("git -c core.pager=x log", None),
        ("git status x", None),
        ("/usr/bin/git-upload-pack 'x'", None),
        ("git-upload-pack '/srv/git/x'; id", None),
    ],
)
def test_git(command: str, words: str | None) -> None:
    assert run(GIT, command) == words
    writes = "receive" in command
    assert run(f"{GIT}, read_only: true", command) == (None if writes else words)
    assert run(f"{GIT}, write_only: true", command) == (words if writes else None)


def test_git_does_not_leave_a_folder_by_the_suffix_that_it_tries() -> None:
    """`/srv/a` would be `/srv/a.git` where there is no `/srv/a`: the folder itself is named so that it is not."""
    one = "profile: git, paths: [/srv/a, /srv/b/c]"
    assert run(one, "git-upload-pack '/srv/a'") == "git upload-pack /srv/a/."
    assert run(one, "git-upload-pack '/srv/a/'") == "git upload-pack /srv/a/."
    assert run(one, "git-upload-pack '/srv/a/x'") == "git upload-pack /srv/a/x"
    assert run("profile: git, paths: [/srv, /srv/a]", "git-upload-pack '/srv/a'") == "git upload-pack /srv/a"


def test_a_relative_path_needs_a_place() -> None:
    assert run("profile: git, paths: /srv", "git-upload-pack 'x'") is None
    assert run("profile: git, paths: /, relative_to: /srv", "git-upload-pack 'x'") == "git upload-pack /srv/x"
    assert run("profile: git, paths: //", "git-upload-pack '/x'") == "git upload-pack /x"
    assert run("profile: git, paths: /", "git-upload-pack '/'") == "git upload-pack /."
    assert (
        run("profile: git, paths: '/srv/{key}'", "git-upload-pack '/srv/laptop/x'") == "git upload-pack /srv/laptop/x"
    )


RSYNC = "profile: rsync, paths: /srv, relative_to: /srv/b"
CAPABLE = "e.iLsfxCIvu"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"-logDtpr{CAPABLE} . /srv/x/", f"-logDtpr{CAPABLE} . /srv/x/"),
        (f"-vlogDtpr{CAPABLE} --delete . /srv/x", f"-vlogDtpr{CAPABLE} --delete . /srv/x"),
        (f"--sender -logDtprz{CAPABLE} . /srv/x/", f"-logDtprz{CAPABLE} . /srv/x/"),
        (f"--sender -logDtpr{CAPABLE} . .", f"-logDtpr{CAPABLE} . /srv/b/."),
        (f"--sender -logDtpr{CAPABLE} . x\\ y z", f"-logDtpr{CAPABLE} . /srv/b/x y /srv/b/z"),
        (f"-lHogDtpAXrS{CAPABLE} --delete-after --numeric-ids . x",
         f"-lHogDtpAXrS{CAPABLE} --delete-after --numeric-ids . /srv/b/x"),
        (f"-r{CAPABLE} --log-format=X --partial . x", f"-r{CAPABLE} --log-format=X --partial . /srv/b/x"),
        (f"-br{CAPABLE} --backup-dir old . x", f"-br{CAPABLE} --backup-dir /srv/b/x/old . /srv/b/x"),
        (f"-r{CAPABLE} --link-dest ../1 . x", f"-r{CAPABLE} --link-dest /srv/b/1 . /srv/b/x"),
        (f"-r{CAPABLE} --link-dest=/srv/1 . x", f"-r{CAPABLE} --link-dest /srv/1 . /srv/b/x"),
        (f"-r{CAPABLE} --partial-dir .part . x", f"-r{CAPABLE} --partial-dir .part . /srv/b/x"),
        (f"-r{CAPABLE} --timeout=30 --bwlimit=100 . x", f"-r{CAPABLE} --timeout=30 --bwlimit=100 . /srv/b/x"),
        ("-lOJogDtpe.LsfxCIvu --max-size=1048576 --usermap=a:b . x",
         "-lOJogDtpe.LsfxCIvu --max-size=1048576 --usermap=a:b . /srv/b/x"),
        (f"-r{CAPABLE} --compress-level=3 --checksum-choice=md5 --compress-choice=zstd . x",
         f"-r{CAPABLE} --compress-level=3 --checksum-choice=md5 --compress-choice=zstd . /srv/b/x"),
        (f"--sender -r{CAPABLE} --remove-source-files . x", f"-r{CAPABLE} --remove-source-files . /srv/b/x"),
        ("--sender -de.LsfxCIvu --list-only . x", "-de.LsfxCIvu --list-only . /srv/b/x"),
        (f"--sender -logDtprR{CAPABLE} . x", f"-logDtprR{CAPABLE} . /srv/b/x"),
    ],
)  # fmt: skip
def test_rsync(command: str, words: str) -> None:
    sends = command.startswith("--sender")
    expected = f"rsync --server {'--sender ' if sends else ''}--munge-links {words}"
    asked = f"rsync --server {command}"
    assert run(RSYNC, asked) == expected
    removes = "remove" in command
    assert run(f"{RSYNC}, read_only: true", asked) == (expected if sends and not removes else None)
    assert run(f"{RSYNC}, write_only: true", asked) == (None if sends else expected)


@pytest.mark.parametrize(
    "command",
    [
        "rsync --daemon .",
        "rsync --server --daemon .",
        "rsync --server --daemon . /srv/x",
        "rsync --server -e.Lsf . /etc",
        "rsync --server -re.Lsf . /srv/x/../../etc",
        "rsync --server -re.Lsf . /srv/x /srv/y",
        "rsync --server -re.Lsf . ''",
        "rsync --server -re.Lsf .",
        "rsync --server -re.Lsf /srv/x",
        "rsync --server -sre.Lsf",
        "rsync --server -sre.Lsf . /srv/x",
        "rsync --server --sender -Lre.Lsf . /srv/x",
        "rsync --server --sender -kre.Lsf . /srv/x",
        "rsync --server -Kre.Lsf . /srv/x",
        "rsync --server -Rre.Lsf . /srv/x",
        "rsync --server -re.Lsf --relative . /srv/x",
        "rsync --server -esh . /srv/x",
        "rsync --server -re sh . /srv/x",
        "rsync --server --rsh=sh . /srv/x",
        "rsync --server --sender -re.Lsf --copy-unsafe-links . /srv/x",
        "rsync --server --sender -re.Lsf --files-from list . /srv/x",
        "rsync --server -re.Lsf --log-file=/srv/x . /srv/x",
        "rsync --server -re.Lsf --temp-dir=/etc . /srv/x",
        "rsync --server -re.Lsf --temp-dir . /srv/x",
        "rsync --server -re.Lsf --backup-dir ../../../etc . /srv/x",
        "rsync --server -re.Lsf --link-dest -x . /srv/x",
        "rsync --server -re.Lsf --partial-dir ../../x . /srv/x",
        "rsync --server --sender -re.Lsf --link-dest /srv/y . /srv/x",
        "rsync --server -re.Lsf --remove-source-files . /srv/x",
        "rsync --server -re.Lsf --no-munge-links . /srv/x",
        "rsync --server -re.Lsf --write-devices . /srv/x",
        "rsync --server -re.Lsf --copy-as=root . /srv/x",
        "rsync --server -re.Lsf --timeout=x . /srv/x",
        "rsync --server -re.Lsf --delete=x . /srv/x",
        "rsync --server -re.Lsf --iconv . /srv/x",
        "rsync --server --sender -re.Lsf --debug=FILTER2 . /srv/x",
        "rsync --server --sender -re.Lsf --info=STATS2 . /srv/x",
        "rsync --server --sender -vvre.Lsf . /srv/x",
        "rsync --server --sender -vre.Lsf -v . /srv/x",
        "rsync --server - . /srv/x",
        "rsync -r /srv/x /srv/y",
        "/usr/bin/rsync --server -r . /srv/x",
    ],
)
def test_what_rsync_does_not_get(command: str) -> None:
    assert run(RSYNC, command) is None


SWITCHES = """\
append append-verify atimes checksum compress crtimes delay-updates delete delete-after delete-before delete-delay
delete-during delete-excluded delete-missing-args dirs existing fake-super force force-change fsync fuzzy hard-links
ignore-errors ignore-existing ignore-missing-args ignore-non-existing inplace itemize-changes list-only mkpath
munge-links new-compress no-D no-R no-W no-compress no-i-r no-implied-dirs no-inc-recursive no-msgs2stderr no-r
no-relative no-whole-file numeric-ids old-compress omit-dir-times omit-link-times one-file-system open-noatime partial
preallocate prune-empty-dirs safe-links size-only sparse specials stats times use-qsort whole-file"""
NUMBERS = """\
block-size bwlimit checksum-seed compress-level max-delete max-size min-size modify-window timeout stop-after"""
VALUES = "checksum-choice chmod compress-choice groupmap iconv log-format out-format outbuf skip-compress usermap"
ASIDE = "backup-dir compare-dest copy-dest link-dest temp-dir partial-dir"


def served(*options: str, sends: bool = True) -> bool:
    """Whether rsync is run with such options."""
    sender = "--sender " if sends else ""
    return run(RSYNC, f"rsync --server {sender}-r{CAPABLE} {' '.join(options)} . x") is not None


def test_every_option_of_rsync_that_is_served() -> None:
    for sends in (True, False):
        for name in SWITCHES.split():
            assert served(f"--{name}", sends=sends), name
            assert not served(f"--{name}=1", sends=sends), name
            assert not served(f"--x{name}", sends=sends), name
        for name in NUMBERS.split():
            assert all(served(f"--{name}={number}", sends=sends) for number in ("0", "-1", "9" * 18)), name
            assert not any(served(f"--{name}{value}", sends=sends) for value in ("", "=", "=x", "=--1", f"={'9' * 19}"))
        for name in VALUES.split():
            assert served(f"--{name}=aZ09.,:=_%+/@-", sends=sends), name
            assert served(f"--{name}={'x' * 256}", sends=sends), name
            assert not any(served(f"--{name}{value}", sends=sends) for value in ("", "=", "=a\\*", f"={'x' * 257}"))
        assert served("--suffix=.bak~".replace("~", "_"), sends=sends)
        assert not served("--suffix=../x", sends=sends)
        assert served("--remove-source-files", sends=sends) is served("--remove-sent-files", sends=sends) is sends
    for name in ASIDE.split():
        assert served(f"--{name}=y", sends=False), name
        assert served(f"--{name} y", sends=False), name
        assert not served(f"--{name}", sends=False)
        assert not served(f"--{name}=", sends=False)
        assert not served(f"--{name}=-y", sends=False)
        assert not served(f"--{name}=y")
        assert not served(f"--x{name}=y", sends=False)


def test_every_letter_of_rsync_that_is_served() -> None:
    letters = string.ascii_letters
    assert "".join(sorted(one for one in letters if served(f"-{one}"))) == "ACDEHIJNORSUWXbcdghilmnopqrtuvxyz"
    for behind in ("e.LsfxCIvu", "e1.2abc", "e."):
        assert served(f"-l{behind}")
        assert not served(f"-l{behind}-")
    assert [one for one in letters if served(f"-{one}") is not served(f"-{one}", sends=False)] == ["R"]


def test_rsync_everywhere_keeps_links() -> None:
    assert run("profile: rsync, paths: /", "rsync --server -lr . /x") == "rsync --server -lr . /x"


def test_a_hidden_folder_of_rsync_that_has_no_base() -> None:
    assert run("profile: rsync, paths: /srv", "rsync --server -r --link-dest ../1 . x") is None
    assert run("profile: rsync, paths: /srv", "rsync --server -r --link-dest ../1 . /srv/x") is not None


BORG = "profile: borg, paths: ['/srv/borg/{user}', /srv/more]"
HELD = "--restrict-to-path /srv/borg/alice --restrict-to-path /srv/more"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("borg serve", f"borg serve {HELD}"),
        ("borg serve --info", f"borg serve --info {HELD}"),
        ("borg serve --umask=077 --debug --debug-topic=borg.debug.repository",
         f"borg serve --debug --debug-topic=borg.debug.repository {HELD}"),
        ("borg serve --debug --storage-quota=5000000000", f"borg serve --debug {HELD}"),
        ("borg serve --restrict-to-path /", None),
        ("borg serve --restrict-to-repository=/srv", None),
        ("borg serve --append-only", None),
        ("borg serve --debug-profile=/srv/x", None),
        ("borg serve x", None),
        ("borg create x", None),
        ("borg", None),
        ("/usr/bin/borg serve", None),
    ],
)  # fmt: skip
def test_borg(command: str, words: str | None) -> None:
    assert run(BORG, command) == words
    held = words.replace(" --restrict", " --append-only --storage-quota=10000000 --restrict", 1) if words else None
    assert run(f"{BORG}, append_only: true, quota: 10MB", command) == held


@pytest.mark.parametrize(
    "flag",
    ["--critical", "--error", "--warning", "--info", "--verbose", "-v", "--debug", "--log-json", "--debug-topic=a.B_9"],
)
def test_what_a_client_says_of_the_log_of_borg(flag: str) -> None:
    assert run(BORG, f"borg serve {flag}") == f"borg serve {flag} {HELD}"
    assert run(BORG, f"borg serve x{flag}") is None
    assert run(BORG, f"borg serve {flag}x") is None or flag.startswith("--debug-topic")


@pytest.mark.parametrize(
    ("word", "ignored"),
    [
        ("--umask=077", True), ("--umask=0077", True), ("--umask=77", False), ("--umask=088", False),
        ("--storage-quota=5", True), (f"--storage-quota={'9' * 20}", True), (f"--storage-quota={'9' * 21}", False),
        ("--storage-quota=5G", False), (f"--debug-topic={'x' * 65}", False), ("--debug-topic=", False),
    ],
)  # fmt: skip
def test_what_borg_is_not_told(word: str, ignored: bool) -> None:
    assert run(BORG, f"borg serve {word}") == (f"borg serve {HELD}" if ignored else None)


def test_borg_without_a_folder_is_not_run() -> None:
    """Without one it would be held to none: a slot without a value is refused, not left out."""
    borg = "{profile: borg, paths: [/x, '/srv/{key}']}"
    ruleset = load(
        "login: [{methods: [publickey, password]}]\n"
        f"grants: [{{who: alice, allow: {{exec: [{borg}, id], confined: true}}}}]"
    )
    assert ask(ruleset, Exec(b"borg serve")).allowed
    assert ask(ruleset, Exec(b"id"), methods=(PASSWORD,)).allowed
    assert not ask(ruleset, Exec(b"borg serve"), methods=(PASSWORD,)).allowed


SCP = "profile: scp, paths: /srv, relative_to: /srv/x"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("scp -t y", "scp -t /srv/x/y"),
        ("scp -r -t /srv/x", "scp -r -t /srv/x"),
        ("scp -p -d -t /srv/", "scp -p -d -t /srv"),
        ("scp -v -r -p -d -f y", "scp -v -r -p -d -f /srv/x/y"),
        ("scp -t -- -x", "scp -t /srv/x/-x"),
        ("scp -t .", "scp -t /srv/x"),
        ("scp -pt '/srv/a b'", "scp -p -t /srv/a b"),
        ("scp -f a b", "scp -f /srv/x/a /srv/x/b"),
        ("scp -t a b", None),
        ("scp -f", None),
        ("scp -f ''", None),
        ("scp -t -f a", None),
        ("scp a b", None),
        ("scp -S sh -t a", None),
        ("scp -o ProxyCommand=x -t a", None),
        ("scp -t /etc", None),
        ("scp -t ../../etc", None),
        ("scp -f /srv/*", None),
        ("/usr/bin/scp -t a", None),
    ],
)
def test_scp(command: str, words: str | None) -> None:
    assert run(SCP, command) == words
    sends = "-f" in command
    assert run(f"{SCP}, read_only: true", command) == (words if sends else None)
    assert run(f"{SCP}, write_only: true", command) == (None if sends else words)


def test_a_profile_ranks_before_words_and_literal_and_any() -> None:
    items = '[any, {literal: "scp -t /srv/x"}, "scp -t *", {profile: scp, paths: /srv/x}]'
    ruleset = load(f"grants: [{{who: alice, allow: {{exec: {items}, confined: true}}}}]")
    assert isinstance(ask(ruleset, Exec(b"scp -t /srv/x")).way, Program)
    assert isinstance(ask(ruleset, Exec(b"scp -t y")).way, Words)
    assert isinstance(ask(ruleset, Exec(b"scp -f y")).way, ShellCommand)


@pytest.mark.parametrize(
    ("deny", "touched", "free"),
    [
        ("{profile: git, paths: /srv/a}",
         ["git-upload-pack /srv/a/x", "git receive-pack /srv/b/../a", "git-upload-pack x",
          "git --bare upload-pack /srv/b", "git-upload-pack --x /srv/b", "git-upload-pack /srv"],
         ["git-upload-pack /srv/b", "gitk", "ls"]),
        ("{profile: git, paths: /srv/a}",
         ["git status", "git show x", "git-shell -c x", "git-cat-file x", "/usr/bin/git -C /srv/a log", "git"],
         ["x-git"]),
        ("{profile: git, paths: /srv/a.git}",
         ["git-upload-pack /srv/a", "git-upload-pack /srv/a/", "git-upload-pack /srv/a.git"],
         ["git-upload-pack /srv/ab", "git-upload-pack /srv/a.gi"]),
        ("{profile: git, paths: /, read_only: true}", ["git-upload-pack /x"], ["git-receive-pack /x"]),
        ("{profile: scp, paths: /, write_only: true}", ["scp -t /x", "scp -x -f /x"], ["scp -f /x"]),
        ("{profile: rsync, paths: /srv/a}",
         ["rsync --server -r . /srv/a", "rsync --server -r . /srv", "rsync --server --link-dest=/x -r . /b",
          "rsync --server --odd . /b", "rsync --daemon", "/usr/bin/rsync --server -r . /b"],
         ["rsync --server -r . /srv/b", "rsyncd"]),
        ("{profile: rsync, paths: /srv/secret}", ["rsync /srv/secret/x /tmp/y", "/usr/bin/rsync -r a b", "rsync"],
         ["ls"]),
        ("{profile: borg, paths: /srv/a}", ["borg serve", "borg -v serve", "borg extract /srv/a::x", "/bin/borg list"],
         ["borgmatic"]),
        ("{profile: git, paths: '/srv/{key}'}", ["git-upload-pack /srv/laptop"], ["git-upload-pack /srv/b"]),
    ],
)  # fmt: skip
def test_what_a_deny_of_a_profile_touches(deny: str, touched: list[str], free: list[str]) -> None:
    literals = ", ".join(f'{{literal: "{command}"}}' for command in touched + free)
    ruleset = load(f"grants: [{{who: alice, allow: {{exec: [{literals}], confined: true}}}}, "
                   f"{{who: alice, deny: {{exec: {deny}}}}}]")  # fmt: skip
    assert [command for command in touched if ask(ruleset, Exec(command.encode())).allowed] == []
    assert [command for command in free if not ask(ruleset, Exec(command.encode())).allowed] == []


@pytest.mark.parametrize(
    "items",
    [
        "[{profile: git, paths: /srv/a, relative_to: /srv}, {profile: git, paths: /srv/b, relative_to: /srv}]",
        "[{profile: git, paths: /srv/a, relative_to: /srv/a}, {profile: git, paths: /srv/b}]",
        "[{profile: git, paths: /srv/a/x, relative_to: /srv/a}, {profile: git, paths: /srv/b/y, relative_to: /srv/b}]",
        "[{profile: scp, paths: /a, read_only: true, relative_to: /a},"
        " {profile: scp, paths: /b, write_only: true, relative_to: /b}]",
        "[{profile: rsync, paths: /, read_only: true}, {profile: rsync, paths: /srv, write_only: true}]",
        "[{profile: borg, paths: /a}, {profile: borg, paths: /a}, {profile: git, paths: /a}]",
    ],
)
def test_profiles_that_never_disagree(items: str) -> None:
    assert "clash" not in warnings(f"grants: [{{who: alice, allow: {{exec: {items}, confined: true}}}}]")


@pytest.mark.parametrize(
    ("profile", "command", "env"),
    [
        ("git", "git-upload-pack /srv/x", {"GIT_CONFIG_GLOBAL": "/dev/null", "XDG_CONFIG_HOME": "/dev/null"}),
        ("borg", "borg serve", {"PYTHONNOUSERSITE": "1", "BORG_LOGGING_CONF": ""}),
        ("rsync", "rsync --server -r . /srv/x", {"HOME": "/dev/null"}),
        ("scp", "scp -t /srv/x", {}),
    ],
)
def test_a_program_is_kept_from_files_of_the_home(profile: str, command: str, env: dict[str, str]) -> None:
    """Whatever the policy says: another profile may let a client write them."""
    said = {"A": "b", **dict.fromkeys(env, "/home/alice/mine")}
    shown = ", ".join(f"{name}: {value}" for name, value in said.items())
    ruleset = load(
        f"grants: [{{who: alice, allow: {{exec: [{{profile: {profile}, paths: /srv}}, id], confined: true, "
        f"env: {{set: {{{shown}}}}}}}}}]"
    )
    way = ask(ruleset, Exec(command.encode())).way
    assert isinstance(way, Program)
    assert way.env == tuple(sorted({**said, **env}.items()))
    other = ask(ruleset, Exec(b"id")).way
    assert isinstance(other, Words)
    assert dict(other.env) == said


def test_a_repository_and_the_folder_above_are_no_clash() -> None:
    """What the folder alone permits is run, with the `.git` that git tries: it is permitted all the same."""
    repository, folder = "{profile: git, paths: /srv/git/repo}", "{profile: git, paths: /srv/git, read_only: true}"
    for items in (f"[{repository}, {folder}]", f"[{folder}, {repository}]"):
        text = f"grants: [{{who: alice, allow: {{exec: {items}, confined: true}}}}]"
        assert "clash" not in warnings(text)
        found = ask(load(text), Exec(b"git-upload-pack /srv/git/repo"))
        assert isinstance(found.way, Program)
        assert found.way.argv == (b"git", b"upload-pack", b"/srv/git/repo")
        found = ask(load(text), Exec(b"git-receive-pack /srv/git/repo"))
        assert isinstance(found.way, Program)
        assert found.way.argv == (b"git", b"receive-pack", b"/srv/git/repo/.")


def test_a_profile_of_a_repository_goes_before_words() -> None:
    text = "grants: [{who: alice, allow: {exec: ['git-upload-pack *', {profile: git, paths: /srv/x}], confined: true}}]"
    assert isinstance(ask(load(text), Exec(b"git-upload-pack /srv/x")).way, Program)
