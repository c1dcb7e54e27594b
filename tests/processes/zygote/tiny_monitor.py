"""A monitor that starts one of each and says their process ids; SIGTERM lets it end in order."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from pysshd.processes.boundary.calls.zygote import Confinement, SessionSpec
from pysshd.processes.sandbox import namespaces
from pysshd.processes.sandbox.process import set_non_dumpable

sys.path.append(str(Path(__file__).parents[3]))

from tests.processes.zygote.house import ACCOUNT, IS_ROOT, NOBODY, PATH, House, house

DEAF = "trap '' HUP TERM; echo $$; while :; do sleep 1; done"
STUBBORN = "trap '' HUP; sleep 1000 & echo $!; wait"
LEFT = "sleep 1000 & echo $!"


async def start(standing: House) -> dict[str, int]:
    """Start workers and sessions that behave badly."""
    worker, end = await standing.worker()
    spinning, spinning_end = await standing.worker()
    spinning_end.send(b"spin")
    helper = await standing.launcher.helper("slow")
    plain, _ = await standing.shell("exec sleep 1000")
    stubborn, streams = await standing.shell(STUBBORN)
    stubborn_job = int(await streams.line())
    left, streams = await standing.shell(LEFT)
    left_job = int(await streams.line())
    await left.wait()
    deaf, streams = await standing.shell(DEAF)
    await streams.line()
    stopped, _ = await standing.shell("kill -STOP $$")
    master, slave = os.openpty()
    spec = SessionSpec("pty", b"/bin/sh", (b"-sh",), PATH, account=ACCOUNT, has_pty=True)
    terminal = await standing.launcher.session(spec, (slave,))
    os.close(slave)
    confined: dict[str, int] = {}
    if namespaces.supported(*((NOBODY, NOBODY) if IS_ROOT else ())) is None:
        child, streams = await standing.shell(STUBBORN, confinement=Confinement(b"", ()))
        # The number that it says is that of another namespace; outside another process stands for it.
        await streams.line()
        confined["confined"] = child.pid
    keep.extend((end, spinning_end, helper, master, left))
    return {
        "worker": worker.pid,
        "spinning": spinning.pid,
        "helper": helper.child.pid,
        "plain": plain.pid,
        "stubborn": stubborn.pid,
        "stubborn job": stubborn_job,
        "left job": left_job,
        "stopped": stopped.pid,
        "terminal": terminal.pid,
        "deaf": deaf.pid,
        **confined,
    }


keep: list[object] = []


async def main() -> None:
    """Start them, say so, wait."""
    set_non_dumpable()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with house() as standing:
        print(json.dumps(await start(standing)), flush=True)
        await told.wait()
    os._exit(0)


asyncio.run(main())
