"""`pysshd schema` in an editor: what yaml-language-server says of policies, offers, and helps with.

Skipped where the server is not installed (`npm install yaml-language-server`, `PYSSHD_YAML_LANGUAGE_SERVER`).
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.policy.model_schema import fields_of, schema
from pysshd.policy.model_settings import ServerModel
from tests.cli.language_server import PROGRAM, LanguageServer, language_server
from tests.docs.pages import ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PROGRAM is None, reason="needs yaml-language-server (npm install yaml-language-server)"),
]

CONFIGS = sorted((ROOT / "config").glob("**/*.yaml"))
GRANT = "version: 1\ngrants:\n  - who: alice\n    "


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """A server that has the schema."""
    file = tmp_path_factory.mktemp("schema") / "policy.schema.json"
    file.write_text(json.dumps(schema()), "utf-8")
    with language_server(file) as made:
        yield made


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_it_has_nothing_to_say_of_an_example(server: LanguageServer, file: Path) -> None:
    assert server.open(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("version: 1\nusrs: {}\n", 1, "Property usrs is not allowed."),
        ("version: 2\n", 0, 'Value is not accepted. Valid values: 1, "1".'),
        ("server: {accounts: system}\n", 0, 'Missing property "version".'),
        ("version: 1\nserver:\n  acounts: system\n", 2, "Property acounts is not allowed."),
        ("version: 1\nserver: {accounts: systm}\n", 1, 'Value is not accepted. Valid values: "service", "system".'),
        ("version: 1\ngrants:\n  - {who: alice, rols: sftp}\n", 2, "Property rols is not allowed."),
        ("version: 1\nusers:\n  alice: {not_after: tomorrow}\n", 2, "expected a date or an instant"),
        ("version: 1\nusers:\n  alice: {password: secret}\n", 2, "expected an argon2id hash"),
        ("version: 1\nlimits: {auth_attempts: many}\n", 1, "expected a whole number from 1 to 100"),
    ],
)
def test_what_is_wrong_is_told_in_words_where_it_stands(
    server: LanguageServer, text: str, line: int, message: str
) -> None:
    found = server.open(text)
    assert [(one["range"]["start"]["line"], one["message"]) for one in found] == [(line, message)]


def test_the_sections_are_offered(server: LanguageServer) -> None:
    server.open("version: 1\n\n")
    found = server.completion(1, 0)
    assert set(found) == set(schema()["properties"]) - {"version"}
    assert found["grants"]["documentation"].startswith("What people may do: a set, whose order decides nothing.")


def test_the_keys_of_an_entry_are_offered(server: LanguageServer) -> None:
    server.open(GRANT + "\n")
    assert set(server.completion(3, 4)) == set(schema()["definitions"]["grant"]["properties"]) - {"who"}
    server.open("version: 1\nserver:\n  \n")
    assert set(server.completion(2, 2)) == {field.key for field in fields_of(ServerModel)}


@pytest.mark.parametrize(
    ("text", "place", "values"),
    [
        (GRANT + "roles: \n", (3, 11), {"login-shell", "sftp", "sftp-readonly"}),
        ("version: 1\nserver:\n  accounts: \n", (2, 12), {"service", "system"}),
        ("version: 1\nroles:\n  a:\n    exec: \n", (3, 10), {"any"}),
        ("version: 1\nlogin:\n  - methods: \n", (2, 13), {"publickey", "password", "totp"}),
        ("version: 1\ncrypto:\n  profile: \n", (2, 11), {"strict", "default", "compatible"}),
    ],
)
def test_values_are_offered(server: LanguageServer, text: str, place: tuple[int, int], values: set[str]) -> None:
    server.open(text)
    assert values <= set(server.completion(*place))


def test_a_key_has_help(server: LanguageServer) -> None:
    server.open(GRANT + "when: {days: mon}\nserver:\n  listen: '*:22'\nusers:\n  alice:\n    groups: ops\n")
    assert "Who the person is" in server.hover(2, 5)
    assert "Days and hours. Absent: always." in server.hover(3, 5)
    assert "Where to listen, and whose programs run how." in server.hover(4, 1)
    assert "An entry of users: a person." in server.hover(7, 3)
    assert "The groups of the section groups that the person is in." in server.hover(8, 5)
