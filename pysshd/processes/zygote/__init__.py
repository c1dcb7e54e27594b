"""The pre-warmed process that forks workers, sessions and helpers."""
