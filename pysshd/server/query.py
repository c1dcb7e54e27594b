"""The questions of one round of keyboard-interactive (RFC 4256 §3.2)."""


class InteractiveQuery:
    """A name, instructions and prompts that the client shows to its user.

    `prompts` is a list of `(text, echo)`; echo says whether what the user types may be seen. A prompt given to the
    constructor as a bare `str` is echoed.
    """

    def __init__(self, name: str = "", instructions: str = "", *prompts: str | tuple[str, bool]) -> None:
        self.name = name
        self.instructions = instructions
        self.prompts: list[tuple[str, bool]] = []
        for prompt in prompts:
            if isinstance(prompt, str):
                self.add_prompt(prompt)
            else:
                self.add_prompt(*prompt)

    def add_prompt(self, prompt: str, echo: bool = True) -> None:
        """Append one question; `echo` False hides the answer, as for a password."""
        self.prompts.append((prompt, echo))
