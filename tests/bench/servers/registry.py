"""The servers by name, in the order of the first round."""

from tests.bench.servers.asyncssh import ASYNCSSH
from tests.bench.servers.base import Server
from tests.bench.servers.openssh import OPENSSH
from tests.bench.servers.pysshd import PYSSHD, PYSSHD_SHARED

SERVERS: dict[str, Server] = {server.name: server for server in (PYSSHD, PYSSHD_SHARED, OPENSSH, ASYNCSSH)}
OURS = (PYSSHD.name, PYSSHD_SHARED.name)
"""What is shown against `REFERENCE`."""

REFERENCE = OPENSSH.name
ENGINE = "engine"
"""In the place of a server, for what is measured without one."""

OTHER = ASYNCSSH.name
