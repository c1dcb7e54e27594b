"""The host keys' signatures of one connection, and the session id that the first of them makes."""

import asyncio
from collections.abc import Callable

from pysshd.processes.boundary.calls.global_requests import GlobalAnswer
from pysshd.processes.boundary.calls.host_keys import ProveHostKeys, Sign, SignAnswer
from pysshd.processes.monitor.pacing import TokenBucket
from pysshd.processes.monitor.signer import Signer
from pysshd.ssh.wire.messages.requests import encode_strings


class Signing:
    """Signs for one connection, so many times a second; `now` tells monotonic seconds."""

    def __init__(self, signer: Signer, now: Callable[[], float]) -> None:
        self._signer = signer
        self._pace = TokenBucket(burst=100, per_second=50.0, now=now)
        self.session_id: bytes | None = None
        """The exchange hash of the first key exchange (RFC 4253 §7.2), once it was signed; it stays."""
        self.host_key = b""
        """The blob of the host key that signed it."""
        self._algorithm = ""

    async def sign(self, call: Sign) -> SignAnswer:
        """The signature of a key exchange; BoundaryError where no host key signs by that algorithm."""
        if (pause := self._pace.take()) > 0:
            await asyncio.sleep(pause)
        signature = self._signer.sign(call.algorithm, call.exchange_hash)
        if self.session_id is None:
            self.session_id = call.exchange_hash
            self.host_key = self._signer.offer(call.algorithm).blob
        self._algorithm = call.algorithm
        return SignAnswer(call.call, signature)

    async def prove(self, call: ProveHostKeys) -> GlobalAnswer:
        """Signatures that bind our host keys to this session; one key that is not ours, and there is none."""
        assert self.session_id is not None  # for the phase is OPEN
        proofs = []
        if not set(call.keys) <= set(self._signer.announced):
            return GlobalAnswer(call.call, False, b"")
        for key in call.keys:
            # Others have their turn between two signatures, in any case.
            await asyncio.sleep(self._pace.take())
            proofs.append(self._signer.prove(key, self.session_id, self._algorithm))
        return GlobalAnswer(call.call, True, encode_strings(proofs))
