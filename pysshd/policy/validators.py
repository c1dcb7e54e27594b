"""How a field of a model is read by a function, without what pydantic would prepare to write it again."""

from typing import Any

import pydantic
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class PlainValidator(pydantic.PlainValidator):
    """pydantic's, but for one thing: that one describes the type of the value twice, in case somebody serializes it.

    Nobody does, and to describe every dataclass that a field may hold took most of the time in which models are built,
    which is a part of every start.
    """

    def __get_pydantic_core_schema__(self, source_type: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.func)  # type: ignore[arg-type]
