"""A small client of yaml-language-server (redhat), the plug-in of VS Code and other editors, over its standard streams.

`PYSSHD_YAML_LANGUAGE_SERVER` names its program; absent: the one on PATH. `npm install yaml-language-server` brings it.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = os.environ.get("PYSSHD_YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")
_ANY: Final = "*.yaml"


class LanguageServer:
    """One running server, with one document at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]", schema: Path) -> None:
        self._process = process
        self._schema = schema
        self._number = 0
        self._documents = 0
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}

    def begin(self) -> None:
        """Say what the schema of the document is."""
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": self._settings()})

    def _settings(self) -> dict[str, Any]:
        return {
            "yaml": {
                "schemas": {self._schema.as_uri(): [_ANY]},
                "schemaStore": {"enable": False},
                "completion": True,
                "hover": True,
                "validate": True,
            }
        }

    def open(self, text: str) -> list[dict[str, Any]]:
        """Show a document; the diagnostics of it."""
        self._documents += 1
        document = {"uri": self._uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        while self._uri not in self._diagnostics:
            self._heard(self._read())
        return self._diagnostics[self._uri]

    @property
    def _uri(self) -> str:
        """The document that was shown last: each has a name of its own, so that nothing is told of another one."""
        return f"file:///policy-{self._documents}.yaml"

    def completion(self, line: int, character: int) -> dict[str, dict[str, Any]]:
        """What is offered at a place, by its label."""
        place = {"textDocument": {"uri": self._uri}, "position": {"line": line, "character": character}}
        found = self.ask("textDocument/completion", place)
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: item for item in items}

    def hover(self, line: int, character: int) -> str:
        """The help at a place."""
        place = {"textDocument": {"uri": self._uri}, "position": {"line": line, "character": character}}
        found = self.ask("textDocument/hover", place)
        if not found:
            return ""
        contents = found["contents"]
        return contents["value"] if isinstance(contents, dict) else str(contents)

    def ask(self, method: str, params: Any) -> Any:
        """A request and its answer."""
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message.get("result")
            self._heard(message)

    def _heard(self, message: dict[str, Any]) -> None:
        """Answer what the server asks, and keep what it says of the document."""
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        if "id" in message and "method" in message:
            asked = message["params"].get("items", ()) if message["method"] == "workspace/configuration" else None
            answer = None if asked is None else [self._settings().get(one.get("section")) for one in asked]
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": answer})

    def _tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        stream = self._process.stdout
        assert stream is not None
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        found = json.loads(stream.read(length))
        assert isinstance(found, dict)
        return found


@contextlib.contextmanager
def language_server(schema: Path) -> Iterator[LanguageServer]:
    """A server for documents of this schema."""
    assert PROGRAM is not None
    with subprocess.Popen(
        [PROGRAM, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            server = LanguageServer(process, schema)
            server.begin()
            yield server
        finally:
            process.kill()
