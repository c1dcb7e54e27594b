"""SFTP and scp: which operations are allowed where, which folders are shown, and how the subsystem is answered."""

from dataclasses import replace
from typing import Any

import pytest

from pysshd.policy.bounds import Bounds, Limit
from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Exec, Query, Request, Session, Sftp, Shell, Subsystem, UnixFacts
from pysshd.policy.rights_sftp import RIGHTS, FolderTemplate
from pysshd.policy.ruleset import Ruleset, ruleset_of
from pysshd.policy.templates import parse_template
from pysshd.policy.ways import FileWay, Folder, Mount, Program, SftpWay, ShellCommand, Words
from tests.policy.sftp import DROP_BOX, allow, do, grants, load
from tests.policy.support import PASSWORD, PEOPLE, ask, facts, key_step

SRV = Mount("/", Folder("/srv"))
CONFINED_SHELL = "shell: true, exec: any, confined: true"


def test_a_file_with_it_is_judged_and_not_served() -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(PEOPLE + DROP_BOX, "p.yaml")
    (problem,) = caught.value.problems
    assert (problem.severity, problem.message) == ("unserved", "key 'sftp' is not served yet by this version")
    assert load(DROP_BOX)


@pytest.mark.parametrize(
    ("right", "path", "expected"),
    [
        ("list", "/", True),
        ("stat", "/", True),
        ("upload", "/x", False),
        ("list", "/in", True),
        ("stat", "/in", True),
        ("mkdir", "/in", False),
        ("upload", "/in/a", True),
        ("upload", "/in/a/b", True),
        ("upload", "//in/./a/", True),
        ("stat", "/in/a", False),
        ("list", "/in/a", False),
        ("download", "/in/a", False),
        ("overwrite", "/in/a", False),
        ("append", "/in/a", False),
        ("download", "/out/a", True),
        ("stat", "/out/a", True),
        ("list", "/out/a", True),
        ("delete", "/out/a", False),
        ("upload", "/in", False),
        ("download", "/elsewhere", False),
        # what is not understood
        ("upload", "in/a", False),
        ("upload", "", False),
        ("upload", "/in/../in/a", False),
        ("upload", "/in/a\0", False),
        ("upload", "/in/" + "a" * 5000, False),
        ("read", "/in/a", False),
        ("", "/in/a", False),
        ("all", "/in/a", False),
    ],
)
def test_the_drop_box(right: str, path: str, expected: bool) -> None:
    found = do(load(DROP_BOX), right, path)
    assert found.allowed is expected
    assert found.reason
    assert found.decided_by


def test_the_deciding_line_and_pattern_are_told() -> None:
    ruleset = load(DROP_BOX)
    found = do(ruleset, "upload", "/in/a", trace=True)
    assert (found.decided_by, found.reason) == ("p.yaml:14", "drop permits it by sftp: {paths: /in/**} (p.yaml:10)")
    assert [(tried.entry, tried.matched, tried.failed) for tried in found.trace] == [("drop", True, "")]
    refused = do(ruleset, "delete", "/in/a", trace=True)
    assert (refused.decided_by, refused.reason) == ("no grant", "no grant allows it")
    assert refused.trace[0].failed == "it does not speak of this request"
    assert do(ruleset, "upload", "/in/../a").reason == (
        "the path is of no form that is served: it has '..', which must be resolved first"
    )
    served = ask(ruleset, Subsystem("sftp"))
    assert served.reason == (
        "drop permits it by sftp: {mounts: {/: /srv/drop/{user}}, paths: {/out/**: …, /in/**: …, /out: …, /in: …, "
        "/: …}} (p.yaml:10)"
    )


@pytest.mark.parametrize("right", RIGHTS)
def test_all_is_every_right_and_each_is_one(right: str) -> None:
    assert do(load(grants(allow("{/a: all}"))), right, "/a").allowed
    only = load(grants(allow(f"{{/a: {right}}}")))
    implied = {right, "stat"} if right in ("list", "download") else {right}
    assert {one for one in RIGHTS if do(only, one, "/a").allowed} == implied


@pytest.mark.parametrize(
    ("paths", "allowed", "refused"),
    [
        # the longest literal start decides, whatever is written first, and more rights further up do not count
        ('{"/**": all, "/in/**": list}', "", "upload"),
        ('{"/in/**": list, "/**": all}', "", "upload"),
        ('{"/**": list, "/in/**": upload}', "upload", "list"),
        ('{"/**": list, /in/a/b: upload}', "upload", "list"),
        ('{"/in/**": list, "/in/a*/b": upload}', "upload", "list"),
        # a longer pattern is not a longer literal start
        ('{"/in/a/*": list, "/in/*/bbb": all, "/*/a/b": all}', "", "upload"),
        # ties intersect
        ('{"/in/**": [list, upload], "/in/*/b": [upload, delete]}', "upload", "list"),
        ('{"/in/**": [list, upload], "/in/*/b": [upload, delete]}', "upload", "delete"),
        ('{"/in/**": list, "/in/*/b": upload}', "", "stat"),
        ('{"/in/**": list, "/in/*/c": upload}', "list", "upload"),
        # the one that does not match is not asked
        ('{"/in/**": list, /in/a/c: upload}', "list", "upload"),
    ],
)
def test_the_longest_literal_start_decides(paths: str, allowed: str, refused: str) -> None:
    ruleset = load(grants(allow(paths)))
    assert not allowed or do(ruleset, allowed, "/in/a/b").allowed
    assert not do(ruleset, refused, "/in/a/b").allowed


def test_permissions_unite_and_are_not_pieced_together() -> None:
    """Another permission adds rights at a path, though its pattern is the shorter one."""
    ruleset = load(
        grants(
            allow("{/in/a: list}"),
            'who: alice, allow: {sftp: {paths: {"/**": upload}}}',
        )
    )
    assert do(ruleset, "list", "/in/a").allowed
    assert do(ruleset, "upload", "/in/a").allowed
    assert not do(ruleset, "list", "/in/b").allowed


@pytest.mark.parametrize(
    ("deny", "touched"),
    [
        ('{"/in/**": upload}', {"upload"}),
        ('{"/in/**": list}', {"list", "stat"}),
        ('{"/**": all}', set(RIGHTS)),
        ('{"/**": upload, "/in/**": delete}', {"delete"}),
        ('{"/in/**": [upload, delete], "/in/*": [delete, chmod]}', {"delete"}),
        ("{/in: all}", set()),
        ("{/out/a: all}", set()),
    ],
)
def test_a_deny_touches_what_it_would_permit(deny: str, touched: set[str]) -> None:
    """Were it an allow, it would permit just these."""
    allowed = allow("{/**: all}")
    denied = load(grants(allowed, f"name: no, who: alice, deny: {{sftp: {{paths: {deny}}}}}"))
    assert {right for right in RIGHTS if not do(denied, right, "/in/a").allowed} == touched
    same = load(grants(allow(deny)))
    assert {right for right in RIGHTS if do(same, right, "/in/a").allowed} == touched
    assert ask(denied, Subsystem("sftp")).allowed
    if touched:
        assert do(denied, min(touched), "/in/a").reason == "no denies it"


def test_denies_of_everything_and_of_the_subsystem() -> None:
    allowed = allow("{/**: all}")
    everything = load(grants(allowed, "who: alice, deny: all"))
    assert not do(everything, "list", "/a").allowed
    assert not ask(everything, Subsystem("sftp")).allowed
    subsystem = load(grants(allowed, "who: alice, deny: {subsystems: sftp}"))
    assert not ask(subsystem, Subsystem("sftp")).allowed
    assert ask(subsystem, Exec(b"scp -t /a")).allowed
    assert do(subsystem, "list", "/a").allowed


# The tree


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("/a", FileWay(Mount("/a", Folder("/srv/alice")))),
        ("/a/x/y", FileWay(Mount("/a", Folder("/srv/alice")), "/x/y")),
        ("/a/b", FileWay(Mount("/a/b", Folder("/data")))),
        ("/a/b/x", FileWay(Mount("/a/b", Folder("/data")), "/x")),
        ("/a/bb", FileWay(Mount("/a", Folder("/srv/alice")), "/bb")),
        ("/h/x", FileWay(Mount("/h", Folder("", in_home=True)), "/x")),
        ("/d/e/f", FileWay(Mount("/d/e/f", Folder("/f/laptop-x", in_home=True)))),
        ("/", FileWay(None)),
        ("/d", FileWay(None)),
        ("/d/e", FileWay(None)),
        ("/d/x", None),
        ("/aa", None),
    ],
)
def test_where_a_path_leads(path: str, way: FileWay | None) -> None:
    mounts = '{/a: "/srv/{user}", /a/b: //data/./, /h: "{home}", /d/e/f: "{home}/f/{key}-x"}'
    ruleset = load(grants(allow("{/: all, /**: all}", mounts)))
    assert do(ruleset, "list", path).way == way
    assert do(ruleset, "upload", path).way == (way if way is not None and way.mount is not None else None)


def test_the_top_of_a_mount_there() -> None:
    assert do(load(DROP_BOX), "list", "/").way == FileWay(Mount("/", Folder("/srv/drop/alice")))


@pytest.mark.parametrize(
    "other",
    [
        "sftp: {mounts: {/: /other}}",
        "sftp: {paths: {/: list}, start: /b}",
        "forced: [x], confined: true",
        "subsystems: {sftp: [x]}, confined: true",
    ],
)
def test_what_would_clash_after_all_is_refused(other: str) -> None:
    """No login of this file is by a password too; somebody who comes so all the same gets neither of the two."""
    ruleset = load(grants(allow("{/: list}", start="/a"), f"who: alice, with: password, allow: {{{other}}}"))
    assert ask(ruleset, Subsystem("sftp")).allowed
    both: dict[str, Any] = {"methods": (key_step(), PASSWORD)}
    refused = ask(ruleset, Subsystem("sftp"), **both)
    assert (refused.allowed, refused.decided_by) == (False, "a clash")
    assert do(ruleset, "list", "/").allowed
    assert do(ruleset, "list", "/", **both).allowed is not other.startswith("sftp")


def test_what_permits_binds() -> None:
    """An operation is bound by those that permit it; scp also by those that would permit the command."""
    document = load(
        grants(
            allow("{/a: list}"),
            allow("{/b: list}"),
            "who: alice, allow: {exec: any, confined: true}",
            "who: alice, allow: {pty: true}",
        )
    )
    limits = [Bounds(frozenset([Limit("sessions", number)])) for number in range(4)]
    bound = [replace(grant, bounds=limits[index]) for index, grant in enumerate(document.grants)]
    ruleset = ruleset_of(document.settings, document.people.values(), document.login, bound)

    def amounts(found: Decision) -> set[float]:
        return {limit.amount for limit in found.bounds.limits}

    assert amounts(do(ruleset, "list", "/b")) == {1}
    assert amounts(ask(ruleset, Subsystem("sftp"))) == {0, 1}
    assert amounts(ask(ruleset, Exec(b"scp -t /a"))) == {0, 1, 2}


def test_mounts_of_all_permissions_join() -> None:
    ruleset = load(
        grants(
            'who: alice, allow: {sftp: {mounts: {/b: "/srv/{account}"}}}',
            "who: alice, allow: {sftp: {mounts: {/a: /srv/a, /b: '/srv/{account}'}, start: /a}}",
            'who: alice, account: git, allow: {sftp: {paths: {"/**": download}}}',
        )
    )
    mounts = Mount("/a", Folder("/srv/a")), Mount("/b", Folder("/srv/git"))
    assert ask(ruleset, Subsystem("sftp"), account="git").way == SftpWay(mounts, Folder("/a"))
    assert do(ruleset, "download", "/b/x", account="git").way == FileWay(mounts[1], "/x")
    assert not do(ruleset, "download", "/b/x").allowed


def test_paths_without_a_folder_permit_nothing() -> None:
    ruleset = load(grants("who: alice, allow: {sftp: {paths: {/: all, '/**': all}}}"))
    assert not ask(ruleset, Subsystem("sftp")).allowed
    found = do(ruleset, "list", "/")
    assert (found.allowed, found.reason) == (False, "no folder is mounted there")


def test_a_permission_with_a_slot_without_value_is_not_in_force() -> None:
    """By a password there is no key: its folder must not become another one, nor its rights reach another's."""
    ruleset = load(
        'login: [{who: "*", methods: [publickey, password]}]\n'
        + grants(
            "who: alice, allow: {sftp: {mounts: {/: /srv, /k: '/keys/{key}'}, paths: {/: list, '/**': all}}}",
            "who: alice, allow: {sftp: {mounts: {/: /srv}, paths: {'/**': download}}}",
        )
    )
    assert do(ruleset, "upload", "/k/x").way == FileWay(Mount("/k", Folder("/keys/laptop")), "/x")
    by_password: dict[str, Any] = {"methods": (PASSWORD,)}
    assert not do(ruleset, "upload", "/k/x", **by_password).allowed
    assert do(ruleset, "download", "/k/x", **by_password).way == FileWay(SRV, "/k/x")
    assert ask(ruleset, Subsystem("sftp"), **by_password).way == SftpWay((SRV,))
    alone = load(grants(allow("{/: all}", start="'/{key}'")))
    assert ask(alone, Subsystem("sftp")).way == SftpWay((SRV,), Folder("/laptop"))
    assert not ask(alone, Subsystem("sftp"), **by_password).allowed
    assert not do(alone, "list", "/", **by_password).allowed


@pytest.mark.parametrize(
    ("value", "path"),
    [("a", "/keys/a-x"), ("a b", "/keys/a b-x"), ("..a", "/keys/..a-x")]
    + [(value, None) for value in ("", ".", "..", "a/b", "/", "a\0")],
)
def test_a_slot_is_filled_with_one_part_of_a_path_or_not_at_all(value: str, path: str | None) -> None:
    folder = FolderTemplate(parse_template("/keys/{key}-x"))
    assert folder.fill({"key": value}) == (Folder(path) if path is not None else None)
    assert folder.fill({}) is None
    assert FolderTemplate(parse_template("/keys")).fill({}) == Folder("/keys")


def test_braces_are_doubled() -> None:
    ruleset = load(grants(allow("{'/{{a}}': all}", "{/: '/srv/{{user}}'}")))
    assert do(ruleset, "list", "/{a}").way == FileWay(Mount("/", Folder("/srv/{user}")), "/{a}")


def test_bytes_that_are_no_text() -> None:
    ruleset = load(grants(allow("{/a?: list}")))
    assert do(ruleset, "list", b"/a\xff").way == FileWay(SRV, "/a\udcff")
    assert not do(ruleset, "list", b"/a\xff\xff").allowed


# How the subsystem and scp are answered


def test_the_subsystem_and_the_channel() -> None:
    ruleset = load(DROP_BOX)
    assert ask(ruleset, Subsystem("sftp")).way == SftpWay((Mount("/", Folder("/srv/drop/alice")),))
    assert ask(ruleset, Session()).allowed
    assert not ask(ruleset, Subsystem("SFTP")).allowed
    assert not ask(ruleset, Subsystem("sftp ")).allowed
    assert not ask(ruleset, Shell()).allowed
    assert not ask(ruleset, Exec(b"ls")).allowed


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b"scp -t /in", True),
        (b"scp -f /out/a", True),
        (b"scp -v -r -p -d -t /in", True),
        (b"scp -rt /in", True),
        (b"scp -t -r /in", True),
        (b"scp -q -f 'a b'", True),
        (b"scp -f -- -x", True),
        (b"scp -t -- /in", True),
        (b"scp -t .", True),
        (b"scp", False),
        (b"scp -t", False),
        (b"scp /in", False),
        (b"scp /in /out", False),
        (b"scp -r /in", False),
        (b"scp -t -f /in", False),
        (b"scp -tt /in", False),
        (b"scp -t /in /out", False),
        (b"scp -t -x", False),
        (b"scp -t ''", False),
        (b"scp -t --", False),
        (b"scp -S evil -t /in", False),
        (b"scp -oProxyCommand=id -t /in", False),
        (b"scp - -t /in", False),
        (b"scp -t /in; id", False),
        (b"scp -f /out/*", False),
        (b"scp -f ~/a", False),
        (b"SCP -t /in", False),
        (b"/usr/bin/scp -t /in", False),
        (b"scpx -t /in", False),
    ],
)
def test_scp_is_what_its_clients_ask(command: bytes, expected: bool) -> None:
    found = ask(load(DROP_BOX), Exec(command))
    assert found.allowed is expected
    if expected:
        assert isinstance(found.way, SftpWay)
        assert found.way.scp[0] == b"scp"


def test_scp_of_sftp_is_taken_before_every_command() -> None:
    """It is bound by paths, and a shell is not."""
    command = Exec(b"scp -t /in")
    ruleset = load(
        grants(
            f"who: alice, allow: {{{CONFINED_SHELL}}}",
            'who: alice, allow: {exec: "scp -t *", confined: true}',
            allow("{/in: list}", who="alice, account: git"),
        )
    )
    assert ask(ruleset, command, account="git").way == SftpWay((SRV,), scp=(b"scp", b"-t", b"/in"))
    assert ask(ruleset, Exec(b"scp -t /in; id"), account="git").way == ShellCommand(b"scp -t /in; id", True)
    assert ask(ruleset, command).way == Words((b"scp", b"-t", b"/in"), True)


def test_a_denied_command_is_denied_to_scp_too() -> None:
    ruleset = load(grants(allow("{/in: list}"), 'who: alice, deny: {exec: "scp -t *"}'))
    assert not ask(ruleset, Exec(b"scp -t /in")).allowed
    assert ask(ruleset, Exec(b"scp -f /in")).allowed


def test_a_program_serves_the_subsystem_as_before() -> None:
    ruleset = load_text(
        PEOPLE + grants("who: alice, allow: {subsystems: {sftp: [serve]}, confined: true}"), "p.yaml"
    ).ruleset
    assert ask(ruleset, Subsystem("sftp")).way == Program((b"serve",), True)
    assert not do(ruleset, "list", "/").allowed


# Built-in roles

SYSTEM = "server: {accounts: system}\n"


def of_host(ruleset: Ruleset, request: Request, account: str = "alice") -> Decision:
    """Decide under what the host says of the account."""
    known = replace(facts("alice", account), unix=UnixFacts(account, 1000))
    return decide(ruleset, Query(known, request))


@pytest.mark.parametrize(("role", "rights"), [("sftp", set(RIGHTS)), ("sftp-readonly", {"list", "stat", "download"})])
def test_built_in_roles(role: str, rights: set[str]) -> None:
    text = SYSTEM + grants(f"who: alice, roles: {role}")
    ruleset = load(text)
    for path in (b"/", b"/etc/motd"):
        assert {right for right in RIGHTS if of_host(ruleset, Sftp(right, path)).allowed} == rights
    way = SftpWay((Mount("/", Folder("/")),), Folder("", in_home=True))
    assert of_host(ruleset, Subsystem("sftp")).way == way
    with pytest.raises(PolicyError) as caught:
        load_text(PEOPLE + text, "p.yaml")
    (problem,) = caught.value.problems
    assert problem.severity == "unserved"
    assert problem.message == f"built-in role {role!r} is not served yet by this version"


def test_both_built_in_roles_agree_on_their_folders() -> None:
    ruleset = load(SYSTEM + grants("who: alice, roles: sftp-readonly", "who: alice, account: git, roles: sftp"))
    assert of_host(ruleset, Sftp("delete", b"/a"), "git").allowed
    assert not of_host(ruleset, Sftp("delete", b"/a")).allowed


def test_windows_and_unknown_facts_bind_operations_too() -> None:
    ruleset = load(grants(allow("{/in: list}", who="alice, not_after: 2026-11-23")))
    found = do(ruleset, "list", "/in")
    assert found.allowed
    assert found.valid_until is not None
    assert not do(ruleset, "list", "/in", now=found.valid_until).allowed


def test_somebody_else_has_nothing() -> None:
    ruleset = load(grants(allow("{/in: list}")))
    assert not do(ruleset, "list", "/in", person="bob").allowed
    assert not do(ruleset, "list", "/in", person=None).allowed
