"""`pysshd schema`: the language for editors, as JSON Schema, and for readers, as a page."""

import json

import click

from pysshd.policy.model_reference import reference
from pysshd.policy.model_schema import fragment_schema
from pysshd.policy.model_schema import schema as schema_of_the_language


@click.command(short_help="Print the JSON Schema of the policy, for editors.")
@click.option("--fragment", is_flag=True, help="Print the schema of files that a policy includes.")
@click.option("--reference", "as_page", is_flag=True, help="Print the reference of every key instead, as Markdown.")
def schema(as_page: bool, fragment: bool) -> None:
    """Print the JSON Schema (draft 7) of the policy file.

    Save it, and name it in the first line of a policy, for completion and help in editors that know YAML:

    \b
      pysshd schema > policy.schema.json
      # yaml-language-server: $schema=policy.schema.json

    Files that a policy includes have one of their own, without what stands in the main file only:

    \b
      pysshd schema --fragment > fragment.schema.json
      # yaml-language-server: $schema=../fragment.schema.json
    """
    if as_page and fragment:
        raise click.UsageError("--reference and --fragment: one page is of both kinds of files")
    if as_page:
        click.echo(reference(), nl=False)
    else:
        found = fragment_schema() if fragment else schema_of_the_language()
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
