"""Every event and every verdict, as one type each."""

from pysshd.ssh.events.channels import (
    ChannelClosed,
    ChannelRequested,
    DataReceived,
    DirectTcpipRequested,
    EofReceived,
    OpenVerdict,
    OutputUnwanted,
    WindowOpened,
)
from pysshd.ssh.events.global_requests import (
    ForwardCancelled,
    ForwardRequested,
    ForwardVerdict,
    GlobalRequested,
    GlobalVerdict,
    HostKeysDoubted,
)
from pysshd.ssh.events.requests import (
    AgentRequested,
    BreakRequested,
    EnvRequested,
    ExecRequested,
    PtyRequested,
    RequestVerdict,
    ShellRequested,
    SignalRequested,
    SubsystemRequested,
    WindowChanged,
    X11Requested,
)
from pysshd.ssh.events.transport import (
    ConnectionFailed,
    KeysTaken,
    PeerDisconnected,
    PeerIdentified,
    SignatureWanted,
    Signed,
)
from pysshd.ssh.events.userauth import (
    AuthBegun,
    AuthOffer,
    AuthVerdict,
    Challenge,
    InteractiveAnswered,
    InteractiveBegun,
    KeyProbed,
    KeySigned,
    NoneOffered,
    PasswordOffered,
)

Event = (
    PeerIdentified
    | SignatureWanted
    | KeysTaken
    | PeerDisconnected
    | ConnectionFailed
    | AuthBegun
    | NoneOffered
    | PasswordOffered
    | KeyProbed
    | KeySigned
    | InteractiveBegun
    | InteractiveAnswered
    | GlobalRequested
    | HostKeysDoubted
    | ForwardRequested
    | ForwardCancelled
    | ChannelRequested
    | DirectTcpipRequested
    | PtyRequested
    | WindowChanged
    | EnvRequested
    | ShellRequested
    | ExecRequested
    | SubsystemRequested
    | SignalRequested
    | BreakRequested
    | X11Requested
    | AgentRequested
    | DataReceived
    | EofReceived
    | OutputUnwanted
    | ChannelClosed
    | WindowOpened
)
"""Everything that `Stack.receive_data`, `answer` and `tick` can return."""

Verdict = Signed | AuthOffer | AuthVerdict | Challenge | GlobalVerdict | ForwardVerdict | OpenVerdict | RequestVerdict
"""Everything that `Stack.answer` takes; each event says which."""
