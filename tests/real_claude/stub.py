"""A stub of the Messages API on loopback: answers as the newest user text tells it to, and notes what it was sent.

    python -I stub.py LOG RELEASE

prints its port and ends with its standard input. Every request leaves one JSON line in LOG: the texts that the user
sent since the model's last answer, those from before it, what its tools gave, which tools it has, and nothing of what
the CLI adds. A directive in the newest text chooses the answer:

    [[text WORDS]]        these words
    [[hang]]              nothing until the file RELEASE is there
    [[bash COMMAND]]      a call of Bash
    [[tool NAME {JSON}]]  a call of any tool
    [[status CODE N]]     an error, N times, then words
    [[limit NAME N]]      the usage limit NAME (five_hour, seven_day), reset in N seconds
    [[warn NAME N]]       words, and that N percent of that limit are used
    [[credit]]            the credit balance is too low

Several directives are one a turn: each result of a tool brings the next one. Without one, a few words are the answer.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DIRECTIVE = re.compile(r"\[\[(text|hang|bash|tool|status|limit|warn|credit)\b ?")
MODEL = "claude-stub"
USAGE = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
WINDOWS = {"five_hour": "5h", "seven_day": "7d"}
STEP_S = 0.02


def newest(messages: list[Json]) -> tuple[list[str], int]:
    """Return the user's newest texts that came together, and how many tool results came after them."""
    texts: list[str] = []
    results = 0
    for message in reversed(messages):
        if message["role"] == "assistant" and texts:
            break
        if message["role"] == "user":
            blocks = _blocks(message)
            texts[:0] = _own_texts(blocks)
            results += not texts and any(block["type"] == "tool_result" for block in blocks)
    return texts, results


def all_texts(messages: list[Json]) -> list[str]:
    """Return the user's texts of the whole conversation."""
    return [text for message in messages if message["role"] == "user" for text in _own_texts(_blocks(message))]


def _blocks(message: Json) -> list[Json]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _own_texts(blocks: list[Json]) -> list[str]:
    return [block["text"] for block in blocks if block["type"] == "text" and _is_own(block["text"])]


def _told(messages: list[Json]) -> str:
    """Return what the tools of the user's newest message gave, as the model sees it."""
    blocks = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    given = [block["content"] for block in blocks if block["type"] == "tool_result"] if isinstance(blocks, list) else []
    parts = [part if isinstance(part, list) else [{"text": part}] for part in given]
    return "\n".join(block.get("text", "") for part in parts for block in part)


def _is_own(text: str) -> bool:
    """Whether a person may have written `text`: not what the CLI adds."""
    return not text.lstrip().startswith(("<system-reminder>", "[Request interrupted"))


def directives(text: str) -> list[tuple[str, str]]:
    """Return the directives in `text`: their names, and what follows the name."""
    found = []
    for match in DIRECTIVE.finditer(text):
        rest = text[match.end() :]
        if match[1] == "tool":
            name, _, rest = rest.partition(" ")
            _, end = json.JSONDecoder().raw_decode(rest)
            found.append(("tool", f"{name} {rest[:end]}"))
        else:
            found.append((match[1], rest.partition("]]")[0]))
    return found


class Stub(ThreadingHTTPServer):
    """The server, what it has noted, and how often it has failed on purpose."""

    daemon_threads = True

    def __init__(self, log: Path, release: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self._log = log
        self.release = release
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._resets: dict[str, float] = {}
        self.numbers = itertools.count(1)

    def note(self, entry: Json) -> None:
        """Add a line to the log."""
        with self._lock, self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def fails(self, key: str, times: int) -> bool:
        """Whether to fail once more for `key`, which fails `times` times."""
        with self._lock:
            self._failures[key] = self._failures.get(key, 0) + 1
            return self._failures[key] <= times

    def reset_of(self, key: str, seconds: float) -> float:
        """Return when the limit `key` ends: `seconds` after it was first asked for."""
        with self._lock:
            return self._resets.setdefault(key, time.time() + seconds)


class Answer(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Stub

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error for what goes wrong."""

    def do_HEAD(self) -> None:
        """Say that somebody is here."""
        self._send(200, {})

    def do_GET(self) -> None:
        """Know nothing else."""
        self._error(404, "not_found_error", "not here")

    def do_POST(self) -> None:
        """Answer a call of the model."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        path = self.path.partition("?")[0]
        if path == "/v1/messages/count_tokens":
            self._send(200, {"input_tokens": 10})
        elif path == "/v1/messages":
            self._messages(body)
        else:
            self._error(404, "not_found_error", "not here")

    def _messages(self, body: Json) -> None:
        texts, results = newest(body["messages"])
        is_turn = bool(body.get("tools"))
        told = _told(body["messages"])
        tools = [tool["name"] for tool in body.get("tools", ())]
        every = all_texts(body["messages"])
        earlier = every[: len(every) - len(texts)]
        noted = {"texts": texts, "results": results, "told": told, "is_turn": is_turn, "tools": tools}
        self.server.note({"at": time.time(), "earlier": earlier, **noted})
        orders = [order for text in texts for order in directives(text)] if is_turn else []
        name, what = orders[results] if results < len(orders) else ("text", "Understood." if not results else "Done.")
        self._obey(name, what, body, key=json.dumps(texts))

    def _obey(self, name: str, what: str, body: Json, key: str) -> None:
        if name == "status":
            code, times = map(int, what.split())
            if self.server.fails(key, times):
                self._error(code, "api_error", "told to fail")
                return
        elif name == "credit":
            self._error(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")
            return
        elif name == "limit":
            limit, seconds = what.split()
            reset = self.server.reset_of(key, float(seconds))
            if time.time() < reset:
                said = "This request would exceed your account's rate limit."
                self._error(429, "rate_limit_error", said, _limit(limit, reset, "rejected", 1.0))
                return
        self._answer(name, what, body)

    def _answer(self, name: str, what: str, body: Json) -> None:
        headers = {}
        if name == "warn":
            limit, percent = what.split()
            headers = _limit(limit, time.time() + 3600, "allowed_warning", int(percent) / 100)
        block, pieces = self._block(name, what)
        if body.get("stream"):
            self._stream(block, pieces, headers)
        else:
            text = "".join(pieces)
            whole = {**block, "text": text} if block["type"] == "text" else {**block, "input": json.loads(text)}
            self._send(200, self._message([whole], block), headers)

    def _block(self, name: str, what: str) -> tuple[Json, Iterator[str]]:
        """Return the answer's only block, and its content piece by piece, as it is to be sent."""
        if name in ("bash", "tool"):
            tool, _, arguments = what.partition(" ")
            if name == "bash":
                tool, arguments = "Bash", json.dumps({"command": what, "description": "What the test asks for"})
            number = next(self.server.numbers)
            return {"type": "tool_use", "id": f"toolu_stub{number:06}", "name": tool, "input": {}}, iter([arguments])
        words = self._hang() if name == "hang" else iter([what if name == "text" else "All right."])
        return {"type": "text", "text": ""}, words

    def _hang(self) -> Iterator[str]:
        while not self.server.release.exists():
            time.sleep(STEP_S)
        yield "Released."

    def _message(self, content: list[Json], block: Json) -> Json:
        return {
            "id": f"msg_stub{next(self.server.numbers):06}",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": content,
            "stop_reason": _stop_reason(block) if content else None,
            "stop_sequence": None,
            "usage": USAGE,
        }

    def _stream(self, block: Json, pieces: Iterator[str], headers: dict[str, str]) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Connection": "close", **headers})
        kind = ("text_delta", "text") if block["type"] == "text" else ("input_json_delta", "partial_json")
        self._event("message_start", message=self._message([], block))
        self._event("content_block_start", index=0, content_block=block)
        for piece in pieces:
            self._event("content_block_delta", index=0, delta={"type": kind[0], kind[1]: piece})
        self._event("content_block_stop", index=0)
        self._event("message_delta", delta={"stop_reason": _stop_reason(block), "stop_sequence": None}, usage=USAGE)
        self._event("message_stop")
        self.close_connection = True

    def _event(self, name: str, **data: Any) -> None:
        self.wfile.write(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode())
        self.wfile.flush()

    def _error(self, code: int, kind: str, said: str, headers: dict[str, str] | None = None) -> None:
        self._send(code, {"type": "error", "error": {"type": kind, "message": said}}, headers)

    def _send(self, code: int, document: Json, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self._head(code, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _stop_reason(block: Json) -> str:
    return "tool_use" if block["type"] == "tool_use" else "end_turn"


def _limit(name: str, reset: float, status: str, used: float) -> dict[str, str]:
    """Return the headers that tell of a limit."""
    stem, window, at = "anthropic-ratelimit-unified", WINDOWS[name], str(int(reset))
    return {
        f"{stem}-status": status,
        f"{stem}-representative-claim": name,
        f"{stem}-reset": at,
        f"{stem}-{window}-status": status,
        f"{stem}-{window}-reset": at,
        f"{stem}-{window}-utilization": str(used),
        f"{stem}-overage-status": "rejected",
        f"{stem}-overage-disabled-reason": "org_level_disabled",
        "retry-after": str(max(1, int(reset - time.time()))),
    }


def main() -> None:
    """Serve until standard input ends."""
    stub = Stub(Path(sys.argv[1]), Path(sys.argv[2]))
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    print(stub.server_address[1], flush=True)  # noqa: T201
    sys.stdin.read()


if __name__ == "__main__":
    main()
