"""The model of `forward` of a role."""

from typing import ClassVar

from pysshd.policy.fields_forward import ConnectItem, ListenerItem, SocketPathItem
from pysshd.policy.reading import Many, Record


class ForwardModel(Record):
    """`forward`: where clients may connect to and listen through the daemon."""

    example: ClassVar[str] = '{local: "db1.corp:5432"}'
    local: Many[ConnectItem] | None = None
    remote: Many[ListenerItem] | None = None
    local_unix: Many[SocketPathItem] | None = None
    remote_unix: Many[SocketPathItem] | None = None
