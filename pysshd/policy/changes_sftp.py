"""Changes for one operation of SFTP: a right more at a path, and none less.

Within one permission the pattern with the longest literal start decides alone, so that a path that is added to it has
to repeat what is permitted there now; a permission of its own adds to the others.
"""

from collections.abc import Iterable
from dataclasses import replace

from pysshd.patterns.paths import PathError, PathPattern, parse_path, virtual_path
from pysshd.policy.flow import quoted
from pysshd.policy.query import Sftp
from pysshd.policy.rights import Rights
from pysshd.policy.rights_sftp import RIGHTS, SftpRight, by_literal_start, with_implied


def sftp_permission(request: Sftp, where: str) -> tuple[str, Rights] | None:
    """The right at the very path, as a permission of its own; None for a path that no pattern could name.

    What the tree shows there is for the mounts to say, which are left as they are.
    """
    pattern = _pattern(request)
    if pattern is None:
        return None
    right = SftpRight((), by_literal_start([(pattern, with_implied([request.right]))]), None, where)
    return _words(pattern, [request.right]), Rights(sftp=(right,))


def widened(held: SftpRight, lacking: SftpRight, request: Sftp) -> tuple[str, SftpRight]:
    """The path to add to a permission, and the permission with it. lacking: the permission of `sftp_permission`."""
    ((pattern, wanted),) = lacking.paths
    deciding = [rights for _, rights in held.deciding(virtual_path(request.path))]
    kept = frozenset.intersection(*deciding) if deciding else frozenset[str]()
    rights = with_implied(kept | wanted)
    others = [pair for pair in held.paths if pair[0].source != pattern.source]
    return _words(pattern, rights), replace(held, paths=by_literal_start([*others, (pattern, rights)]))


def _pattern(request: Sftp) -> PathPattern | None:
    try:
        return parse_path(request.path.decode("utf-8"))
    except (UnicodeDecodeError, PathError):
        return None


def _words(pattern: PathPattern, rights: Iterable[str]) -> str:
    named = frozenset(rights)
    said = named - {"stat"} if with_implied(named - {"stat"}) == named else named
    listed = ", ".join(right for right in RIGHTS if right in said)
    return f"sftp: {{paths: {{{quoted(pattern.source)}: [{listed}]}}}}"
