"""What a live daemon tells machines, and the log afterwards, is what docs/tools.md describes."""

import json
import subprocess
import sys
from typing import Any

from tests.docs.test_json import described, held, keys_of
from tests.live.conftest import Serve
from tests.live.daemon import Daemon

POLICY = """
users: {alice: {keys: ["@@alice@@"]}}
grants: [{who: alice, allow: {exec: "true", confined: true}}]
"""


def told(daemon: Daemon, *words: str) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "pysshd", *words], capture_output=True, text=True, timeout=60, check=False
    )
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_ctl_and_why(serve: Serve) -> None:
    with serve(POLICY) as daemon:
        assert daemon.ssh("exit 7").returncode != 0
        state = ("ctl", "--state", str(daemon.state))
        good = daemon.policy.read_text()
        reloaded = set(keys_of(told(daemon, *state, "reload", "--json")[0]))
        before = told(daemon, *state, "status", "--json")[0]
        daemon.policy.write_text(f"{good}usrs: {{}}\n")
        refused = told(daemon, *state, "reload", "--json")[0]
        status = told(daemon, *state, "status", "--json")[0]
        daemon.policy.write_text(good)
        # The one key that is told where there is nothing else to tell.
        held("ctl reload", reloaded | set(keys_of(refused)) | {"error"})
        held("ctl status", set(keys_of(status)) | {"error"})
        assert (before["reload_refused"], before["ok"]) == (None, True)
        assert status["reload_refused"] is not None
        (problem,) = (one for one in refused["problems"] if "usrs" in one["message"])
        assert (problem["severity"], problem["file"]) == ("error", str(daemon.policy))
        assert problem["source_line"].startswith("usrs")
        event = daemon.wait_event("request.refused")
        (found,) = told(daemon, "why", event["decision"], "--log", str(daemon.folder / "log"), "--json")
        assert set(found) >= described("why") - {"*"}
