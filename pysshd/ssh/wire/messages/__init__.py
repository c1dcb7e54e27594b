"""One frozen dataclass per SSH message and per message body, in files by RFC."""
