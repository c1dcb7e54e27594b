"""`pysshd schema`: the language for editors, as JSON Schema, and for readers, as a page."""

import json

import click

from pysshd.policy.model_reference import reference
from pysshd.policy.model_schema import schema as schema_of_the_language


@click.command(short_help="Print the JSON Schema of the policy, for editors.")
@click.option("--reference", "as_page", is_flag=True, help="Print the reference of every key instead, as Markdown.")
def schema(as_page: bool) -> None:
    """Print the JSON Schema (draft 7) of the policy file.

    Save it, and name it in the first line of a policy, for completion and help in editors that know YAML:

    \b
      pysshd schema > policy.schema.json
      # yaml-language-server: $schema=policy.schema.json
    """
    click.echo(reference() if as_page else json.dumps(schema_of_the_language(), indent=2, ensure_ascii=False) + "\n",
               nl=False)  # fmt: skip
