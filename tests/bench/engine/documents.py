"""Documents as large installations have them: people in groups, and grants by group, person, network and hour."""

import base64
import random
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GROUP_SIZE = 20
"""How many people there are for each group; each is in two."""

ROLES = ("operator", "reader", "git", "files", "db", "login-shell")

_HEAD = """\
version: 1
server: {accounts: system}
networks:
"""

_ROLES = """\
roles:
  operator:
    exec: ['systemctl status *', 'systemctl restart *', uptime, 'tail -n ? /var/log/*']
    pty: true
    env: {accept: [LANG, 'LC_*']}
  reader:
    exec:
      - [tail, -n, {regex: '[0-9]{1,4}'}, {path_under: /var/log}]
      - [journalctl, -u, {enum: [nginx, postgres, ssh]}]
  git: {exec: [{profile: git, paths: /srv/git}], env: {accept: GIT_PROTOCOL}}
  files:
    sftp: {mounts: {/: '/srv/files/{user}'}, paths: {/: list, '/in/**': upload, '/out/**': [list, download]}}
  db: {forward: {local: ['db*.corp:5432', '10.2.0.0/16:443', '[2001:db8::/32]:443']}}
grants:
  - {name: everybody, who: "*", from: net0, roles: login-shell}
"""


def document(people: int, grants: int) -> str:
    """A policy of so many people and grants; the same one each time."""
    chance = random.Random(1)
    groups = max(2, people // GROUP_SIZE)
    lines = [f'  net{number}: [10.{number}.0.0/16, "fd00:{number:x}::/32"]\n' for number in range(20)]
    lines += [f"groups: [{', '.join(f'g{number}' for number in range(groups))}]\n", "users:\n"]
    lines += [_person(number, groups, chance) for number in range(people)]
    return _HEAD + "".join(lines) + _ROLES + "".join(_grants(people, groups, grants))


def _person(number: int, groups: int, chance: random.Random) -> str:
    held = sorted({number % groups, (number * 7 + 3) % groups})
    public = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)).public_key().public_bytes_raw()
    key = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + public).decode()
    return f'  user{number}: {{groups: [{", ".join(f"g{one}" for one in held)}], keys: ["ssh-ed25519 {key}"]}}\n'


def _grants(people: int, groups: int, count: int) -> Iterator[str]:
    """Half of them by group, most of the others by person; every fourth has networks, every seventh hours."""
    for number in range(1, count):
        group, person = number % groups, number * 13 % people
        who = f"group:g{group}" if number % 10 < 5 else f"user{person}"
        if number % 10 == 9:
            who = f"[group:g{number * 3 % groups}, user{person}]"
        conditions = [f"who: {who}"]
        conditions += [f"from: net{number % 20}"] if number % 4 == 0 else []
        conditions += ["when: {days: mon-fri, hours: 08:00-18:00}"] if number % 7 == 0 else []
        conditions += ["with: publickey"] if number % 11 == 0 else []
        effect = f"roles: {ROLES[number % len(ROLES)]}" if number % 29 else "deny: {forward: {local: '*:25'}}"
        yield f"  - {{name: grant{number}, {', '.join(conditions)}, {effect}}}\n"
