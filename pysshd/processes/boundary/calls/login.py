"""The steps of one login, and what may be tried next."""

from pysshd.processes.boundary.calls.call import AUTH, KEX, Call, call
from pysshd.processes.boundary.calls.wire import Prompts, Strings
from pysshd.ssh.wire.messages.fields import NameList, String, Text, Uint32


@call
class BeginAuth(Call):
    """The user name and service of this connection, once and for good; answered by `Offer`."""

    NUMBER = 3
    PHASES = KEX
    call: Uint32
    user: String
    service: Text
    client: String


@call
class Offer(Call):
    """What may be tried, the same whoever is named, and a banner (empty: none)."""

    NUMBER = 103
    call: Uint32
    methods: NameList
    banner: Text
    language: Text = ""


@call
class OfferNone(Call):
    """The method `none` or an unknown one; answered by `AuthAnswer`."""

    NUMBER = 4
    PHASES = AUTH
    call: Uint32
    method: Text


@call
class OfferPassword(Call):
    """A password; answered by `AuthAnswer`."""

    NUMBER = 5
    PHASES = AUTH
    call: Uint32
    password: String

    def __repr__(self) -> str:
        return f"OfferPassword(call={self.call})"


@call
class ProbeKey(Call):
    """Would this key do? Answered by `AuthAnswer`, which never authenticates here."""

    NUMBER = 6
    PHASES = AUTH
    call: Uint32
    algorithm: Text
    blob: String
    host_key: String = b""


@call
class VerifyKey(Call):
    """A key and a signature; the monitor builds the signed data itself. Answered by `AuthAnswer`.

    `host_key`: that which a host-bound request names as ours; empty for plain `publickey`.
    """

    NUMBER = 7
    PHASES = AUTH
    call: Uint32
    algorithm: Text
    blob: String
    signature: String
    host_key: String = b""


@call
class BeginInteractive(Call):
    """keyboard-interactive is asked for; answered by `Ask` or `AuthAnswer`."""

    NUMBER = 8
    PHASES = AUTH
    call: Uint32
    submethods: String


@call
class Ask(Call):
    """A round of keyboard-interactive."""

    NUMBER = 105
    call: Uint32
    name: Text
    instructions: Text
    prompts: Prompts


@call
class AnswerInteractive(Call):
    """The responses to the last `Ask`; answered by `Ask` or `AuthAnswer`."""

    NUMBER = 9
    PHASES = AUTH
    call: Uint32
    responses: Strings

    def __repr__(self) -> str:
        return f"AnswerInteractive(call={self.call}, responses=<{len(self.responses)}>)"


@call
class AuthAnswer(Call):
    """The end of an authentication step: 0 success, 1 partial, 2 failure; and what may be tried next.

    `note`: what the client is told of a failure.
    """

    NUMBER = 104
    call: Uint32
    outcome: Uint32
    methods: NameList
    note: Text = ""
