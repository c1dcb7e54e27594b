"""How keys are called that a helper told of by their SHA-256."""

import base64


def fingerprint_of(digest: bytes) -> str:
    """`SHA256:…`, as in the policy and in logs."""
    return "SHA256:" + base64.b64encode(digest).rstrip(b"=").decode("ascii")
