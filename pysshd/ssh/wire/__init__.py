"""RFC 4251 §5 types and one dataclass per SSH message."""
