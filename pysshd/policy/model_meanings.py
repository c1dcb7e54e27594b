"""What every key of the language means: the one place of these words, for the schema and for the reference.

By the model that has the key (a model has those of the models that it is made from, too), then by the key.
"""

from collections.abc import Mapping
from typing import Final

from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key means.

    text: a sentence, without its end. example: a value as it stands in a file. default: what holds where the key is
    absent. unit: of its value, where it has one.
    """

    text: str
    example: str
    default: str = ""
    unit: str = ""


_KEY: Final = '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMXjp6MIoaZxXj7kSdgbX7FXQy0M5i0UEeeM+6ePPxRG alice@laptop"'
_HASH: Final = ("'$argon2id$v=19$m=65536,t=3,p=4$jxYh9pyVPhN/t2uu/DGLew"
                "$ijQrcjQFRy6WrZz24cuf7TQG4wy+EwHP0D0PUmEAbwU'")  # fmt: skip
_EDIT: Final = "the profile's"
_NOT_BEFORE: Final = Meaning("From when on it counts; a bare date from its start", "2027-01-29", "always")
_NOT_AFTER: Final = Meaning("Until when it counts; a bare date to its end", "2027-01-29", "for ever")
_RUN_AS: Final = Meaning("With `accounts: system`, the account of the host that the program is", "nobody",
                        "none, and refused")  # fmt: skip
_TIMEOUT: Final = Meaning("How long the program may take; then it is killed, and the keys are not known", "10s", "`5s`")

SECTIONS: Final[Mapping[str, Meaning]] = {
    "version": Meaning("The version of the language; the only key that must be there", "1"),
    "include": Meaning("Other files that belong to the policy, and what they may hold",
                       '[{files: "users.d/*.yaml", may: users}]', "none"),
    "server": Meaning("Where to listen, and whose programs run how", '{listen: ["*:2222"]}', "the defaults below"),
    "crypto": Meaning("Algorithms, and when keys are made anew", "{profile: strict}", "the profile `default`"),
    "limits": Meaning("What one connection, and what the daemon may cost", "{auth_attempts: 3}", "the defaults below"),
    "networks": Meaning("Names for addresses and prefixes", '{office: [10.0.0.0/8, "fd00:1::/32"]}', "none"),
    "users": Meaning("People, by name", f"{{alice: {{keys: [{_KEY}]}}}}", "nobody"),
    "groups": Meaning("The groups that people may be in", "[ops, dba]", "none"),
    "sources": Meaning("People of the host, of a folder of keys, or whom a program knows, beside those of `users`",
                       "[{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]", "none"),
    "login": Meaning("How people prove who they are: an ordered list, the first entry that matches decides",
                     '[{who: "*", methods: publickey}]', '`[{who: "*", methods: publickey}]`'),
    "user_defaults": Meaning("What entries of `users` do not say themselves", '{home: "/srv/homes/{user}"}', "nothing"),
    "authorities": Meaning("Whose certificates of users count", "{staff: {keys: [ca/staff.pub]}}", "nobody's"),
    "tests": Meaning("Cases that the file itself must meet",
                     "[{as: alice, from: 10.1.2.3, login: publickey, allow: shell}]", "none"),
    "roles": Meaning("Permissions under a name; `login-shell` is built in", '{logs: {exec: "cat /var/log/web/*"}}',
                     "none"),
    "grants": Meaning("What people may do: a set, whose order decides nothing",
                      "[{who: alice, roles: login-shell}]", "nothing is allowed"),
}  # fmt: skip
"""The sections of a document."""

MEANINGS: Final[Mapping[str, Mapping[str, Meaning]]] = {
    "IncludeModel": {
        "files": Meaning("Files, relative to the folder of this one; `*` and `?` stand for characters of one part of "
                         "a path", '["users.d/*.yaml", roles.yaml]'),
        "may": Meaning("The sections that these files may hold", "[users, tests]"),
    },
    "ServerModel": {
        "listen": Meaning('Where to listen: `"address:port"`, `"[IPv6]:port"`, `"*:port"` for every address of both '
                          "families; port 0 takes a free one", '["*:2222", {address: "127.0.0.1:2022", name: local}]',
                          "`127.0.0.1:2222`, and `[::1]:2222` where the host has it"),
        "host_keys": Meaning("The keys of the host", "{directory: host_keys}", "made in the state folder"),
        "accounts": Meaning("`service`: every session runs as the daemon's own user. `system`: as the account of the "
                            "host that was logged in as", "system", "`service`"),
        "min_uid": Meaning("With `accounts: system`, the least uid of an account whose name the file does not write "
                           "for the person", "500", "`1000`", "uid"),
        "owner": Meaning("With `accounts: service`, the one person who may run programs that are not confined",
                         "alice", "the one person who may, with a warning"),
        "user": Meaning("With `accounts: service`, whom a daemon that root started becomes", "pysshd", "none"),
        "worker_user": Meaning("As whom the processes run that face the network, if the daemon is root", "pysshd-net",
                               "the daemon's choice"),
        "state": Meaning("The folder of what the daemon makes", "/var/lib/pysshd", "the daemon's default"),
        "sandbox": Meaning("`best_effort`: start also where the kernel has no Landlock", "best_effort", "`require`"),
        "timezone": Meaning("Of bare dates", "Europe/Paris", "`UTC`"),
        "banner": Meaning("Shown before the login", '"Authorised use only.\\n"', "none"),
        "version_addendum": Meaning("What follows the daemon's name in the first line that it sends", "Debian",
                                    "none"),
        "interface": Meaning("A server of your own that decides instead of the policy", '"mine.servers:MyServer"',
                             "the policy decides"),
        "isolation": Meaning("`connection`: one process that faces the network for each connection. `shared`: a few "
                             "for all", "shared", "`connection`"),
        "acknowledge": Meaning("Risks that the file takes knowingly", "shared-workers-with-system-accounts", "none"),
    },
    "ListenModel": {
        "address": Meaning("Where to listen", '["192.0.2.1:22", "[2001:db8::1]:22"]'),
        "name": Meaning("How conditions call it", "outside", "its text"),
        "banner": Meaning("Shown to whoever comes by it", '"Customers, this way.\\n"', "the server's"),
    },
    "CryptoModel": {
        "profile": Meaning("What is offered: `strict`, `default`, or `compatible` for clients that know nothing better",
                           "strict", "`default`"),
        "kex": Meaning("Key exchange methods", "'+curve25519-sha256'", _EDIT),
        "host_key_algorithms": Meaning("How the host proves itself", "[ssh-ed25519]", _EDIT),
        "ciphers": Meaning("Ciphers", "'-*-ctr'", _EDIT),
        "macs": Meaning("Message authentication codes", "[hmac-sha2-512-etm@openssh.com]", _EDIT),
        "compression": Meaning("Compression after the login", "'+zlib@openssh.com'", _EDIT),
        "user_key_algorithms": Meaning("How the keys of users may sign", "[ssh-ed25519]", _EDIT),
        "require_strict_kex": Meaning("A client without strict key exchange is refused", "true", "as the profile"),
        "min_rsa_bits": Meaning("The smallest RSA key by which a user comes in", "3072", "`2048`", "bits"),
        "rekey": Meaning("New keys after so much, whichever comes first", "{bytes: 256MiB, interval: 30m}",
                         "`{bytes: 1GiB, interval: 1h}`"),
    },
    "RekeyModel": {
        "bytes": Meaning("New keys after so many bytes in one direction", "256MiB", "`1GiB`", "bytes"),
        "interval": Meaning("New keys after so long", "30m", "`1h`", "time"),
    },
    "LimitsModel": {
        "login_grace": Meaning("How long a login may take", "30s", "`60s`", "time"),
        "auth_attempts": Meaning("Failed attempts of one connection", "3", "`6`", "attempts"),
        "startups": Meaning("Connections that have not logged in", "{start: 20, rate: 50%, full: 200}",
                            "`{start: 10, rate: 30%, full: 100}`"),
        "sessions_per_connection": Meaning("Channels with a session, of one connection", "4", "`10`", "channels"),
        "connections": Meaning("Of the whole daemon", "1000", "`256`", "connections"),
    },
    "StartupsModel": {
        "start": Meaning("From how many on some new ones are dropped", "20", unit="connections"),
        "rate": Meaning("Which share of new ones is dropped at `start`", "50%", unit="share"),
        "full": Meaning("From how many on all new ones are dropped", "200", unit="connections"),
        "per_source": Meaning("Of one address, or one /64, served at a time", "5", "one less than `start`",
                              "connections"),
        "per_source_rate": Meaning("Of one address that do not log in, for each second", "5", "`start`",
                                   "connections per second"),
    },
    "UserModel": {
        "totp": Meaning("One-time passwords", "{secret_file: totp/alice}", "none"),
        "names": Meaning("Names that nobody has, and that this entry stands for", "'guest*'", "it is a person"),
        "groups": Meaning("The groups of the section `groups` that the person is in", "[ops, dba]", "none"),
        "keys": Meaning("Public keys, or entries with a file, a name or a time", f"[{_KEY}]", "none"),
        "password": Meaning("The hash of a password, as `pysshd hash-password` makes it", _HASH, "none"),
        "accounts": Meaning("The names that the person may log in as", "[alice, git]", "their own"),
        "home": Meaning("The folder of confined programs", "/srv/homes/alice", "below the state folder"),
        "run_as": Meaning("With `accounts: system`, the account of the host that every session of this person is",
                          "www-data", "the name that was logged in as"),
        "not_before": _NOT_BEFORE,
        "not_after": _NOT_AFTER,
    },
    "KeyModel": {
        "name": Meaning("How conditions and `{key}` call it", "laptop", "none"),
        "file": Meaning("A file of one key or more, one in a line", "keys/alice.pub"),
        "key": Meaning("The key itself", _KEY),
        "not_before": _NOT_BEFORE,
        "not_after": _NOT_AFTER,
        "from": Meaning("From where it is good", "office", "anywhere"),
        "options": Meaning("Options as in authorized_keys, which take away", "[restrict, pty, 'command=\"id\"']",
                           "none"),
    },
    "SourceModel": {
        "system": Meaning("The accounts of the host are people of their own name", "{min_uid: 1000}"),
        "directory": Meaning("Each file that fits has the keys of the person whose name stands in the place of the "
                             "star; read at the start and at a reload", "'keys/*.pub'"),
        "command": Meaning("A program that prints the keys of a person; whoever has one is a person. `{user}` is the "
                           "person's name, `{account}` the name that was typed",
                           '[/usr/local/bin/keys-of, "{user}"]'),
        "run_as": _RUN_AS,
        "timeout": _TIMEOUT,
        "groups": Meaning("Groups of the file that everyone of the source is in", "staff", "those of `user_defaults`"),
        "keys": Meaning("Of the host's people: files of their own keys, and programs that are asked for them",
                        "[{authorized_keys: ~/.ssh/authorized_keys}]", "none"),
        "password": Meaning("The host's own password counts", "system", "it does not"),
    },
    "SystemModel": {"min_uid": Meaning("From which uid on", "1000", "`server.min_uid`", "uid")},
    "SourceKeysModel": {
        "authorized_keys": Meaning("A file of keys, below the home of each or with their name in it",
                                   "/etc/keys/{user}"),
        "command": Meaning("A program that prints the keys of a person of the host",
                           '[/usr/bin/sss_ssh_authorizedkeys, "{user}"]'),
        "run_as": _RUN_AS,
        "timeout": _TIMEOUT,
    },
    "Conditions": {
        "when": Meaning("Days and hours", "{days: mon-fri, hours: 08:00-18:00}", "always"),
        "client": Meaning("What the client claims to be", "'OpenSSH_*'", "any"),
        "who": Meaning("Who the person is, which key was used, or in which group of the host the account is",
                       "[group:ops, alice]", "everyone"),
        "account": Meaning("The name that was typed", "git", "any"),
        "from": Meaning("Where the client comes from", '[office, 192.0.2.7, "2001:db8::/32"]', "anywhere"),
        "listener": Meaning("By which listener", "outside", "any"),
    },
    "GrantConditions": {
        "with": Meaning("The methods of the login include every step of one chain", "publickey+password", "any"),
    },
    "LoginModel": {
        "set": Meaning("What the connection has one of", "{keepalive: 30s}", "as the server"),
        "unless": Meaning("The entry does not match where all of these hold", "{from: 10.0.0.0/8}", "never"),
        "methods": Meaning("What is asked for: alternatives, each a chain in order", "[publickey, password+publickey]"),
        "refuse": Meaning("The login is refused", "true"),
        "not_before": _NOT_BEFORE,
        "not_after": _NOT_AFTER,
    },
    "GrantModel": {
        "limits": Meaning("What the grant is held to", "{bandwidth: 50MiB/s, lifetime: 8h}", "none"),
        "record": Meaning("Whether sessions are recorded", "required", "`off`"),
        "name": Meaning("How logs and traces call it", "ops-by-day", "its number"),
        "unless": Meaning("The grant does not match where all of these hold", "{from: 10.0.0.0/8}", "never"),
        "roles": Meaning("Roles whose permissions it gives", "[login-shell]"),
        "allow": Meaning("Permissions that it gives", '{exec: "cat /var/log/web/*"}'),
        "deny": Meaning("What is denied, whoever else allows it: `all`, or permissions", "{pty: true}"),
        "bound": Meaning("What every request is held to", "{}"),
        "not_before": _NOT_BEFORE,
        "not_after": _NOT_AFTER,
    },
    "RoleModel": {
        "umask": Meaning("Of what runs", "027", "022"),
        "working_folder": Meaning("In which what runs begins", '"/srv/{user}"', "the home"),
        "forward": Meaning("Where clients may connect to and listen through the daemon",
                           '{local: "db*.corp:5432", remote: "loopback:9000-9100"}', "none"),
        "agent": Meaning("Forwarding of the client's agent", "true", "none"),
        "x11": Meaning("Forwarding of X11", "true", "none"),
        "global_requests": Meaning("Names of global requests that a bare success answers", "ping@example.com", "none"),
        "shell": Meaning("The account's shell, or a program in its place", '[menu, "--for={user}"]', "no shell"),
        "exec": Meaning("Commands: patterns of words, equal bytes, or any", '["systemctl status *", {literal: "a; b"}]',
                        "no commands"),
        "forced": Meaning("A program that answers every shell, command and subsystem", '[backup, "{user}"]', "none"),
        "subsystems": Meaning("Subsystems and the programs that serve them", "{sftp: [/usr/lib/openssh/sftp-server]}",
                              "none"),
        "sftp": Meaning("Operations of SFTP and scp",
                        '{mounts: {/: "/srv/drop/{user}"}, paths: {/: [list], "/in/**": [upload]}}', "none"),
        "pty": Meaning("A terminal", "true", "no terminal"),
        "env": Meaning("Variables that clients may send, and variables that the policy sets",
                       "{accept: [LANG], set: {MODE: safe}}", "none"),
        "signals": Meaning("The signals that a client may send, `BREAK` among them", "[INT, TERM]", "all"),
        "confined": Meaning("The programs of this role see the system read-only and the person's home, and nothing "
                            "else", "true", "they see what their user sees"),
    },
    "SftpModel": {
        "mounts": Meaning("Which folders of the host are shown where", '{/: "/srv/drop/{user}"}', "none"),
        "paths": Meaning("What may be done with what is there: the pattern with the longest literal start decides",
                         '{/: [list], /in: [list], "/in/**": [upload], /out/*: all}', "nothing"),
        "start": Meaning("Where relative paths begin", '"{home}"', "the root of the tree"),
    },
    "TotpModel": {
        "secret_file": Meaning("The file with the secret", "totp/alice"),
    },
    "UserDefaultsModel": {
        "groups": Meaning("The groups of whoever says nothing of groups", "ops", "none"),
        "accounts": Meaning("The names that they may log in as", '["{user}", git]', "their own"),
        "home": Meaning("The folder of confined programs", '"/srv/homes/{user}"', "below the state folder"),
        "run_as": Meaning("The account of the host that their sessions are", "www-data",
                          "the name that was logged in as"),
        "not_before": _NOT_BEFORE,
        "not_after": _NOT_AFTER,
    },
    "KeepaliveModel": {
        "interval": Meaning("How often a silent client is asked", "30s", unit="time"),
        "count": Meaning("Questions that may stay without an answer", "3", "`3`", "questions"),
    },
    "LoginSetModel": {
        "keepalive": Meaning("How often a silent client is asked whether it is there", "30s", "never"),
        "rekey": Meaning("New keys after so much", "{bytes: 256MiB}", "as `crypto.rekey`"),
        "sessions": Meaning("Channels with a session", "2", "as `limits.sessions_per_connection`", "channels"),
        "log_level": Meaning("What the log has of the connection", "debug", "the daemon's"),
        "key_files": Meaning("Files of the person's own keys", "~/.ssh/authorized_keys", "the source's"),
        "key_options": Meaning("Options of keys that widen and are accepted", "environment", "none"),
        "touch": Meaning("What a key of a device must show", "required", "as the key says"),
    },
    "AuthorityModel": {
        "keys": Meaning("The keys of the authority, or files of them", "[ca/staff.pub]"),
        "person": Meaning("The field of a certificate that names the person", "principal", "`key_id`"),
        "accounts": Meaning("Accounts, and the principals that may use each", '{deploy: [web], "{principal}": ["*"]}',
                            "each the principal of its own name"),
        "from": Meaning("From where its certificates are good", "office", "as each says"),
        "options": Meaning("Options as in authorized_keys, of every certificate", "[no-pty, no-agent-forwarding]",
                           "none"),
    },
    "WhenModel": {
        "days": Meaning("On these days", "mon-fri", "every day"),
        "hours": Meaning("Within these hours; past midnight they belong to the day on which they begin", "08:00-18:00",
                         "the whole day"),
        "timezone": Meaning("Whose wall clock is meant", "Europe/Paris", "the server's"),
    },
    "ForwardModel": {
        "local": Meaning("Hosts and ports to which clients may connect", '["db*.corp:5432", "10.2.0.0/16:443"]',
                         "none"),
        "remote": Meaning("Addresses and ports on which clients may listen", '"loopback:9000-9100"', "none"),
        "local_unix": Meaning("Sockets to which clients may connect", "/run/db.sock", "none"),
        "remote_unix": Meaning("Sockets on which clients may listen", '"{home}/agent.sock"', "none"),
    },
    "BoundModel": {
        "limits": Meaning("What every request is held to", "[{sessions: 2, per: source}]", "none"),
        "record": Meaning("Whether sessions are recorded", "required", "`off`"),
    },
    "UseLimitsModel": {
        "bandwidth": Meaning("Bytes of channels in a second, both ways together", "50MiB/s", "none", "bytes/s"),
        "bytes": Meaning("Bytes of channels, both ways together", "10GiB", "none", "bytes"),
        "lifetime": Meaning("Time from the login until the connection is closed", "8h", "none", "time"),
        "idle": Meaning("Time without a byte after which a channel is closed", "15m", "none", "time"),
        "connections": Meaning("Connections at a time", "2", "none", "connections"),
        "channels": Meaning("Open channels at a time, of every kind", "10", "none", "channels"),
        "sessions": Meaning("Channels with a session at a time", "2", "none", "channels"),
        "forwards": Meaning("Forwarded connections and listeners at a time", "20", "none", "connections"),
        "files": Meaning("Files that are written by SFTP and scp", "1000", "none", "files"),
        "file_size": Meaning("Bytes of one file that is written by SFTP or scp", "1GiB", "none", "bytes"),
        "per": Meaning("Whose use is counted together", "source", "of one user and grant"),
    },
    "CaseModel": {
        "name": Meaning("How reports call it", "ops-by-day", "its number"),
        "as": Meaning("The person", "alice"),
        "account": Meaning("The name that is typed", "git", "the person's"),
        "key": Meaning("Which keys are used", "laptop", "any that fits"),
        "from": Meaning("The client's address", "10.1.2.3"),
        "listener": Meaning("By which listener", "outside", "any that fits"),
        "client": Meaning("What the client claims to be", "OpenSSH_9.9", "nothing is known"),
        "at": Meaning("When", '"2027-03-01T09:00+01:00"', "where nothing depends on it"),
        "system_groups": Meaning("The groups of the host that the account is in, or `none`", "[guests]",
                                 "where nothing depends on it"),
        "certificate": Meaning("What a certificate of the login says", "{authority: staff, key_id: alice}",
                               "as it opens most for this person and account"),
        "resolve": Meaning("The addresses that names of hosts have", "{db1.corp: [10.2.0.5]}",
                           "where no name is looked up"),
        "login": Meaning("The chain by which the person gets in", "publickey"),
        "refused": Meaning("The chain by which the person does not get in", "any"),
        "allow": Meaning("What is allowed then", "[shell, {exec: ls -l}]", "nothing is asked"),
        "deny": Meaning("What is refused then", "[{exec: rm -rf /}]", "nothing is asked"),
        "runs": Meaning("The words that the allowed request runs", "[borg, serve]", "nothing is asked"),
    },
    "CertificateModel": {
        "authority": Meaning("Which authority has signed it", "staff"),
        "key_id": Meaning("Its key id", "alice", "as it opens most"),
        "principals": Meaning("Its principals", "[alice, web]", "as they open most"),
        "extensions": Meaning("Its extensions", "[permit-pty]", "as they open most"),
        "options": Meaning("Its critical options", "{force-command: id, source-address: 10.0.0.0/8}", "none"),
    },
    "EnvModel": {
        "accept": Meaning("Patterns of variables that clients may send", '[LANG, "LC_*"]', "none"),
        "set": Meaning("Variables and their values", '{MODE: safe, WHO: "{user}"}', "none"),
    },
}  # fmt: skip
"""The keys of each record."""
