"""umask and working folder of a role, in a session."""

from pathlib import Path

from tests.live.conftest import Serve

POLICY = """
users: {alice: {keys: ["@@alice@@"], accounts: [alice, other, lost]}}
roles:
  shell: {exec: any, shell: true}
grants:
  - {who: alice, roles: shell}
  - {who: alice, account: alice, allow: {umask: 027, working_folder: /usr/bin}}
  - {who: alice, account: lost, allow: {working_folder: "/nonexistent/{user}"}}
"""


def test_umask_and_working_folder(serve: Serve) -> None:
    with serve(POLICY) as daemon:
        assert daemon.ssh("umask; pwd").stdout.split() == [b"0027", b"/usr/bin"]
        umask, folder = daemon.ssh("umask; pwd", login="other").stdout.split()
        assert umask == b"0022"
        assert Path(folder.decode()) != Path("/usr/bin")
        assert daemon.ssh("pwd", login="lost").stdout.split() == [b"/"]
