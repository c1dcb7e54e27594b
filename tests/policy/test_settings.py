"""What the document tells the daemon itself, and the defaults; and values of those sections that are refused."""

import pytest

from pysshd.policy.settings import DEFAULT_LISTEN, Crypto, HostKeys, Limits, Listen, Server, Settings, Startups
from tests.policy.support import HASH, KEYS, load, messages


def test_defaults() -> None:
    found = load("", "version: 1\n").settings
    assert found == Settings()
    assert found.limits == Limits(60.0, 6, Startups(10, 30, 100, 9, 10), 10, 256)
    assert (found.crypto.profile, found.crypto.min_rsa_bits) == ("default", 2048)
    assert (found.crypto.rekey_bytes, found.crypto.rekey_seconds) == (1024**3, 3600.0)
    server = found.server
    assert (server.accounts, server.sandbox, server.isolation, server.min_uid) == (
        "service",
        "require",
        "connection",
        1000,
    )
    # No clock is ahead of this one, so that whatever has an end in a time without a zone ends early and never late.
    assert (server.timezone, server.options_timezone) == ("UTC", "Etc/GMT-14")
    assert server.listen == ()
    silent = ("host_keys", "owner", "user", "worker_user", "state", "banner", "interface", "version_addendum")
    assert {getattr(server, key) for key in silent} == {None}
    assert [(one.name, one.host, one.port, one.banner) for one in DEFAULT_LISTEN] == [
        ("127.0.0.1:2222", "127.0.0.1", 2222, None), ("[::1]:2222", "::1", 2222, None),
    ]  # fmt: skip


def test_places_make_no_other_settings() -> None:
    assert Listen("x", "x", 1, where="a:1") == Listen("x", "x", 1, where="b:2")
    assert HostKeys("/x", where="a:1") == HostKeys("/x")
    assert Server(where={"user": "a:1"}) == Server()
    assert Crypto(where={"kex": "a:1"}) == Crypto()


def test_every_key() -> None:
    settings = load(
        """\
server:
  listen: ["*:2222", "[::1]:0"]
  host_keys: [/etc/a, b]
  accounts: service
  owner: alice
  user: sshd
  worker_user: nobody
  state: /var/lib/x/../y
  sandbox: best_effort
  timezone: Europe/Paris
  banner: "Hello\\tthere\\n"
crypto: {profile: default, rekey: {bytes: 1MiB, interval: 1h}}
limits:
  {login_grace: 1m30s, auth_attempts: 3, startups: {start: 1, rate: 0%, full: 1, per_source: 3, per_source_rate: 4},
   sessions_per_connection: 1, connections: 7}
"""
    ).settings
    assert settings == Settings(
        Server(
            (Listen("*:2222", "*", 2222), Listen("[::1]:0", "::1", 0)),
            HostKeys(files=("/etc/a", "b")),
            "service",
            "alice",
            "sshd",
            "nobody",
            "/var/lib/y",
            "best_effort",
            "Europe/Paris",
            "Hello\tthere\n",
            options_timezone="Europe/Paris",
        ),
        Crypto("default", 1 << 20, 3600.0),
        Limits(90.0, 3, Startups(1, 0, 1, 3, 4), 1, 7),
    )


def test_parts_of_sections() -> None:
    assert load("crypto: {rekey: {interval: 2h}}").settings.crypto == Crypto(rekey_seconds=7200.0)
    assert load("crypto: {rekey: {bytes: 2MiB}}").settings.crypto == Crypto(rekey_bytes=2 << 20)
    assert load("crypto: {profile: default}").settings.crypto == Crypto()
    assert load("limits: {connections: 5}").settings.limits == Limits(connections=5)
    silent = load("limits: {startups: {start: 40, rate: 1%, full: 50}}").settings.limits.startups
    assert silent == Startups(40, 1, 50, per_source=39, per_source_rate=40)
    assert load("server: {host_keys: {directory: /k}}").settings.server.host_keys == HostKeys("/k")
    assert load("server: {host_keys: /k}").settings.server.host_keys == HostKeys(files=("/k",))
    all_of_them = load("server: {host_keys: {directory: /k, files: [/a, /b], certificates: /c}}").settings.server
    assert all_of_them.host_keys == HostKeys("/k", ("/a", "/b"), certificates=("/c",))
    assert load("server: {version_addendum: a b-c}").settings.server.version_addendum == "a b-c"
    assert load("server: {version_addendum: X =x=~}").settings.server.version_addendum == "X =x=~"
    assert load("server: {version_addendum: '" + "x" * 200 + "'}").settings.server.version_addendum == "x" * 200
    listed, folder = (load(f"server: {{host_keys: {keys}}}").settings.server.host_keys for keys in
                      ("[/a, /b]", "{files: /a, directory: /b}"))  # fmt: skip
    assert listed is not None
    assert folder is not None
    assert (listed.where, folder.where) == ("p.yaml:8:22", "p.yaml:8:29")
    named = 'server: {listen: [{address: ["127.0.0.1:1", "*:2"], name: in, banner: hi}, {address: "*:3"}, "*:4"]}'
    assert load(named).settings.server.listen == (
        Listen("in", "127.0.0.1", 1, banner="hi"),
        Listen("in", "*", 2, banner="hi"),
        Listen("*:3", "*", 3),
        Listen("*:4", "*", 4),
    )
    assert load(f"{named}\nlogin: [{{listener: [in, '*:3'], methods: publickey}}]").login
    home = load("", f'version: 1\nusers:\n  a: {{password: "{HASH}", home: /srv/a}}\n').people["a"].home
    assert home == "/srv/a"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("server: {banner: '" + "x" * 9000 + "'}", "the banner has 9000 characters, expected at most 8192"),
        ("limits: {login_grace: 2h}", "found '2h', expected from 1s to 3600s"),
        ("crypto: {rekey: {bytes: 1KiB}}", "found '1KiB', expected from 1MiB to 64GiB"),
        ("crypto: {rekey: {bytes: x}}", "found 'x', expected a size such as 512KiB, 64MiB or 1GiB"),
        ('server: {state: "a\\0b"}', "found a path with a NUL or a line's end"),
        ('server: {listen: [["x"]]}', "found a list, expected a text"),
        ("server: [a]", 'found a list, expected keys and values such as {listen: "*:2222"}'),
        ("server: {owner: {a: b}}", "found keys and values, expected a name"),
        (
            'login: [{methods: "publickey+publickey+publickey+publickey+publickey"}]',
            "the chain has 5 steps, expected at most 4",
        ),
        ('roles: {r: {forced: ["a\\0b"]}}', "word 'a\\x00b' has a NUL"),
        (
            "roles: {r: {forced: ['x', '{y}']}}",
            (
                "word '{y}': it has a '{' that begins none of {user}, {account}, "
                "{key}, {principal}, {source} or {home}; write '{{' for the brace "
                "itself"
            ),
        ),
        ("roles: {r: {forced: ['-x']}}", "found '-x' in the first place, expected the name or path of a program"),
        ('roles: {r: {env: {set: {A: "a\\0b"}}}}', "the value of 'A' has a NUL"),
        ('roles: {r: {env: {set: {"A B": x}}}}', "found 'A B', expected the name of a variable"),
        (
            'roles: {r: {env: {set: {A: "{x"}}}}',
            (
                "the value of 'A': it has a '{' that begins none of {user}, "
                "{account}, {key}, {principal}, {source} or {home}; write '{{' "
                "for the brace itself"
            ),
        ),
        ("roles: {r: {env: {accept: 'A B'}}}", "found 'A B', expected a variable's name or a pattern such as LC_*"),
        ("roles: {r: {exec: {}}}", "found an empty mapping, expected keys and values"),
        ("grants: [{who: alice, deny: {subsystems: 'a b'}}]", "found 'a b', expected the name of a subsystem"),
        ("grants: [{who: alice, deny: {subsystems: {'a b': x}}}]", "found 'a b', expected the name of a subsystem"),
        ("networks: {o: [x, [y]]}", "'x' is no address or prefix: it is no IPv4 or IPv6 address"),
        (
            "grants: [{who: alice, from: 'a b', deny: all}]",
            "'a b' is no address or prefix: it is no IPv4 or IPv6 address",
        ),
        (
            "grants: [{who: alice, from: 10.0.0.256, deny: all}]",
            "'10.0.0.256' is no address or prefix: it is no IPv4 or IPv6 address",
        ),
        (
            "grants: [{who: ops, unless: {who: mallory, from: [nowhere]}, roles: [rolle]}]",
            "unknown network 'nowhere' in from",
        ),
        ("grants: [{who: mallory, colour: x, unless: {who: eve}, roles: [rolle]}]", "unknown person 'eve' in who"),
        ("grants: [{who: mallory, colour: x, unless: {who: eve}, roles: [rolle]}]", "unknown role 'rolle'"),
        ("groups: [{a: b}, ops]\nlogin: [x]", "found keys and values, expected a name"),
        ("login: [x]", 'found a text, expected keys and values such as {who: "*", methods: publickey}'),
    ],
)
def test_refused(section: str, message: str) -> None:
    people = "version: 1\nusers:\n  alice: {keys: '" + KEYS[0] + "'}\n"
    assert message in messages(section, people).splitlines()


@pytest.mark.parametrize(
    ("hash_", "message"),
    [
        (HASH.replace("jxYh9pyVPhN/t2uu/DGLew", "jxYh9"), "base64"),
        (HASH.replace("jxYh9pyVPhN/t2uu/DGLew", "j"), "base64"),
    ],
)
def test_hashes_with_odd_base64(hash_: str, message: str) -> None:
    assert message in messages("", f'version: 1\nusers:\n  a: {{password: "{hash_}"}}\n')


@pytest.mark.parametrize("home", ["relative", "~/x", '"/a\\0b"'])
def test_homes_that_are_refused(home: str) -> None:
    assert "expected an absolute path" in messages(
        "", f'version: 1\nusers:\n  a: {{password: "{HASH}", home: {home}}}\n'
    )


def test_a_banner_of_a_listener_goes_before_that_of_the_server() -> None:
    listen = 'listen: [{address: "*:1", name: own, banner: mine}, {address: "*:2", name: plain}, "*:3"]'
    server = load(f"server: {{banner: all, {listen}}}\n", "version: 1\n").settings.server
    assert [server.banner_of(name) for name in ("own", "plain", "*:3", "elsewhere")] == ["mine", "all", "all", "all"]
    assert load(f"server: {{{listen}}}\n", "version: 1\n").settings.server.banner_of("plain") is None
