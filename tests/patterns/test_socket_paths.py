"""Paths of Unix sockets."""

import pytest

from pysshd.patterns.socket_paths import MAX_SOCKET_PATH, SocketPathError, check_socket_path


@pytest.mark.parametrize("path", ["/a", "/run/user/1000/x.sock", "/a/...", "/ü", "/\udcff", "/" + "x" * 106])
def test_paths(path: str) -> None:
    check_socket_path(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "not absolute"),
        ("a/b", "not absolute"),
        ("\0abstract", "not absolute"),
        ("@abstract", "not absolute"),
        ("/", "empty"),
        ("/a/", "empty"),
        ("/a//b", "empty"),
        ("/a/./b", "'.'"),
        ("/a/../b", "'..'"),
        ("/..", "'..'"),
        ("/a\0b", "NUL"),
        ("/" + "x" * 107, f"more than {MAX_SOCKET_PATH} bytes"),
        ("/" + "ü" * 54, f"more than {MAX_SOCKET_PATH} bytes"),
        ("/\ud800", "no text"),
    ],
)
def test_no_paths(path: str, message: str) -> None:
    with pytest.raises(SocketPathError, match=message):
        check_socket_path(path)


def test_a_pattern_may_be_longer() -> None:
    check_socket_path("/" + "x" * 500, most=1024)
