"""The calls between processes: one dataclass each, its codec and its phase."""
