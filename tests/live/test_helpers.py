"""The helpers that look things up and check passwords: nothing of what a client says becomes a word or a variable."""

import threading
from pathlib import Path

import pytest

from tests.live.conftest import Serve
from tests.live.daemon import Daemon, children_of, until
from tests.live.looking import descriptors, name_of, status, title, zygote
from tests.live.wire import Wire, wire

HASH = "$argon2id$v=19$m=262144,t=16,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
POLICY = f"""
users: {{alice: {{password: "{HASH}"}}}}
login: [{{who: "*", methods: password}}]
"""
ODD = b"-oX=%u $(touch /tmp/pysshd-marker-helper) 'a b'"


LIMITS = {"Max cpu time": "30", "Max core file size": "0", "Max file size": "0"}


def limits(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[0] for line in lines}


def helpers(daemon: Daemon) -> list[int]:
    return [pid for pid in children_of(daemon.pid) if name_of(pid) == "pysshd: helper"]


@pytest.mark.root
@pytest.mark.security("S118")
def test_a_helper_has_fixed_words_no_environment_and_limits(serve: Serve) -> None:
    with serve(POLICY, environment={"TOKEN": "canary"}) as daemon, wire(daemon) as asking:
        asked = threading.Thread(target=ask, args=(asking, ODD))
        asked.start()
        try:
            until(lambda: helpers(daemon), what="a helper")
            (helper,) = helpers(daemon)
            until(lambda: title(helper) != "", what="its words")
            assert "canary" not in title(helper)
            assert ODD.decode() not in title(helper)
            environment = Path(f"/proc/{helper}/environ").read_bytes()
            assert {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry} <= {b"PATH", b"LC_ALL"}
            assert environment == Path(f"/proc/{zygote(daemon)}/environ").read_bytes()
            said, monitor = status(helper), status(daemon.pid)
            assert said["NoNewPrivs"] == "1"
            assert (said["Uid"], said["Gid"]) == (monitor["Uid"], monitor["Gid"])
            until(lambda: limits(helper).items() >= LIMITS.items(), what=f"its limits {LIMITS}")
            assert sorted(descriptors(helper)) == [0, 1, 2, 3]
        finally:
            # Whoever goes is asked about no more: the helper ends with the question.
            asking.socket.shutdown(2)
            asked.join(20)
        until(lambda: not helpers(daemon), what="the end of the helper")
        assert not Path("/tmp/pysshd-marker-helper").exists()


def ask(asking: Wire, user: bytes) -> None:
    try:
        asking.password(user, b"canary")
    except (EOFError, OSError):
        pass
