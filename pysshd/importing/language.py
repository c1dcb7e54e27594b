"""What the policy language has, asked of its models, so that nothing is written that could not be read."""

from pysshd.policy.model import SECTIONS
from pysshd.policy.model_entries import RoleModel
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The language of this version. served: leave out what its daemon can not serve yet."""

    served: bool = False

    def has_right(self, key: str) -> bool:
        """Whether roles have this permission."""
        names = {field.alias or name for name, field in RoleModel.model_fields.items()}
        unserved: frozenset[str] = getattr(RoleModel, "unserved", frozenset())
        return key in names and not (self.served and key in unserved)

    def has_section(self, name: str) -> bool:
        """Whether a document has this section."""
        return name in SECTIONS
