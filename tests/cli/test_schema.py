"""`pysshd schema`: what it prints."""

import json

from pysshd.policy.model_reference import reference
from pysshd.policy.model_schema import schema
from tests.cli.test_commands import run


def test_the_schema_and_the_reference() -> None:
    assert json.loads(run("schema").stdout) == schema()
    ended = run("schema", "--reference")
    assert (ended.returncode, ended.stdout.decode()) == (0, reference())
