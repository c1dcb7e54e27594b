"""Which two permissions have a request in common that would be answered in two ways."""

import pytest

from pysshd.policy.clash import common_request
from pysshd.policy.load import load_text
from pysshd.policy.rights import Rights
from tests.policy.support import PEOPLE


def rights(allow: str) -> Rights:
    text = f"{PEOPLE}server: {{owner: alice}}\ngrants: [{{who: alice, allow: {{{allow}}}}}]\n"
    return load_text(text, "p.yaml").ruleset.grants[0].rights


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Other requests.
        ("shell: true", "exec: any, confined: true"),
        ("shell: true", "subsystems: {mail: [x]}, confined: true"),
        ("exec: any", "subsystems: {mail: [x]}, confined: true"),
        ("subsystems: {mail: [x]}", "subsystems: {news: [y]}, confined: true"),
        # Ranked: the more cautious one is taken.
        ("exec: ls", "exec: any, confined: true"),
        ("exec: ls", "exec: {literal: ls}, confined: true"),
        ("exec: {literal: ls}", "exec: any, confined: true"),
        ("exec: {profile: scp, paths: /srv}", 'exec: ["scp -f *"], confined: true'),
        # The same, however often it stands.
        ("exec: any", "exec: any"),
        ("exec: ls", "exec: '* -l'"),
        # No command is both.
        ("exec: ls", "exec: id, confined: true"),
        ("exec: {literal: a;b}", "exec: {literal: a;c}, confined: true"),
        ("exec: {profile: scp, paths: /srv/a}", "exec: {profile: scp, paths: /srv/b}, confined: true"),
        ("exec: {profile: scp, paths: /srv}", "exec: {profile: rsync, paths: /srv}, confined: true"),
        ("exec: {profile: scp, paths: /srv, read_only: true}",
         "exec: {profile: scp, paths: /srv, write_only: true}, confined: true"),
    ],
)  # fmt: skip
def test_nothing_in_common(first: str, second: str) -> None:
    left, right = rights(first).runs[0], rights(second).runs[0]
    assert common_request(left, right) is None
    assert common_request(right, left) is None


@pytest.mark.parametrize(
    ("first", "second", "request_"),
    [
        ("shell: true", "shell: true, confined: true", "shell"),
        ("shell: true", "shell: [menu]", "shell"),
        ("subsystems: {mail: [x]}", "subsystems: {mail: [y]}", "subsystem mail"),
        ("exec: 'ls *'", "exec: '* x', confined: true", "exec 'ls x'"),
        ("exec: {literal: a;b}", "exec: {literal: a;b}, confined: true", "exec 'a;b'"),
        ("exec: any", "exec: any, confined: true", "exec of anything"),
        ("exec: {profile: scp, paths: /srv}", "exec: {profile: scp, paths: /srv/b}, confined: true",
         "exec 'scp -f /srv/b'"),
        ("exec: {profile: scp, paths: /srv, write_only: true}", "exec: {profile: scp, paths: /}, confined: true",
         "exec 'scp -t /srv'"),
        ("forced: [a]", "forced: [b]", "shell"),
        ("forced: [a]", "exec: ls", "exec 'ls'"),
        ("forced: [a]", "exec: any", "exec of anything"),
        ("forced: [a]", "subsystems: {mail: [x]}", "subsystem mail"),
    ],
)  # fmt: skip
def test_a_request_that_shows_it(first: str, second: str, request_: str) -> None:
    left, right = rights(first).runs[0], rights(second).runs[0]
    assert common_request(left, right) == request_
    assert common_request(right, left) == request_


@pytest.mark.parametrize("other", ["shell: true", "exec: ls", "forced: [x]", "subsystems: {mail: [x]}"])
def test_a_setting_has_no_request_in_common_with_what_runs(other: str) -> None:
    (setting,), (right,) = rights("shell: true, env: {set: {A: x}}").sets, rights(other).runs
    assert common_request(setting, right) is None
    assert common_request(right, setting) is None


def test_two_settings_that_differ() -> None:
    (one, two), (other, _) = (
        rights(f"shell: true, env: {{set: {{A: {value}, B: {value}}}}}").sets for value in ("x", "y")
    )
    assert common_request(one, other) == "a session with A"
    assert common_request(one, one) is None
    assert common_request(two, other) is None


@pytest.mark.parametrize(
    ("profile", "reads", "writes"),
    [
        ("git", "git-upload-pack /srv", "git-receive-pack /srv"),
        ("rsync", "rsync --server --sender -r . /srv", "rsync --server -r . /srv"),
        ("scp", "scp -f /srv", "scp -t /srv"),
    ],
)
def test_the_request_that_shows_a_clash_of_profiles(profile: str, reads: str, writes: str) -> None:
    for direction, request_ in (("", reads), (", read_only: true", reads), (", write_only: true", writes)):
        item = f"exec: {{profile: {profile}, paths: /srv{direction}}}"
        left, right = rights(item).runs[0], rights(f"{item}, confined: true").runs[0]
        assert common_request(left, right) == f"exec {request_!r}"
