"""The numbers that hooks return, and the few others that server programs name.

The authentication codes are this interface's own; the channel codes are the reason codes of RFC 4254 §5.1, the SFTP
codes those of draft-ietf-secsh-filexfer-02 §7, the disconnect codes those of RFC 4253 §11.1.
"""

from typing import Final

AUTH_SUCCESSFUL: Final = 0
AUTH_PARTIALLY_SUCCESSFUL: Final = 1
AUTH_FAILED: Final = 2

OPEN_SUCCEEDED: Final = 0
OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED: Final = 1
OPEN_FAILED_CONNECT_FAILED: Final = 2
OPEN_FAILED_UNKNOWN_CHANNEL_TYPE: Final = 3
OPEN_FAILED_RESOURCE_SHORTAGE: Final = 4

SFTP_OK: Final = 0
SFTP_EOF: Final = 1
SFTP_NO_SUCH_FILE: Final = 2
SFTP_PERMISSION_DENIED: Final = 3
SFTP_FAILURE: Final = 4
SFTP_BAD_MESSAGE: Final = 5
SFTP_NO_CONNECTION: Final = 6
SFTP_CONNECTION_LOST: Final = 7
SFTP_OP_UNSUPPORTED: Final = 8

DISCONNECT_SERVICE_NOT_AVAILABLE: Final = 7
DISCONNECT_AUTH_CANCELLED_BY_USER: Final = 13
DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE: Final = 14

DEFAULT_WINDOW_SIZE: Final = 2_097_152
DEFAULT_MAX_PACKET_SIZE: Final = 32_768
