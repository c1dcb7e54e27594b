"""What the tests of SFTP share: documents that are judged although the daemon can not serve them yet."""

from typing import Any

from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.query import Sftp
from pysshd.policy.ruleset import Ruleset
from tests.policy.support import PEOPLE, ask

DROP_BOX = """\
roles:
  drop-box:
    sftp:
      mounts: {/: "/srv/drop/{user}"}
      paths: {/: [list], /in: [list], "/in/**": [upload], /out: [list], "/out/**": [list, download]}
grants:
  - {name: drop, who: "*", roles: drop-box}
"""


def load(more: str, people: str = PEOPLE) -> Ruleset:
    """A ruleset of the usual people and more sections."""
    return load_text(people + more, "p.yaml", language=True).ruleset


def grants(*entries: str) -> str:
    """A section of grants, of their texts."""
    return "grants:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def allow(paths: str, mounts: str = "{/: /srv}", *, who: str = "alice", start: str = "") -> str:
    """A grant of SFTP; `who` may go on with other conditions."""
    begins = f", start: {start}" if start else ""
    return f"who: {who}, allow: {{sftp: {{mounts: {mounts}, paths: {paths}{begins}}}}}"


def do(ruleset: Ruleset, right: str, path: str | bytes, **known: Any) -> Decision:
    """Ask for one operation."""
    return ask(ruleset, Sftp(right, path.encode() if isinstance(path, str) else path), **known)
