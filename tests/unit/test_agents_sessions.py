"""Claude Code's session files: what they say, whatever is in them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.claude.sessions import decode, folder
from orchestrator_core.agents.evidence import SessionEvidence

PAYLOADS = Path(__file__).parents[1] / "data/claude-payloads"
REAL = json.loads((PAYLOADS / "sessions_t3_0.json").read_text())
"""As version 2.1.330 wrote it."""


def decoded(**changes: object) -> SessionEvidence | None:
    return decode(json.dumps({**REAL, **changes}).encode())


def test_a_real_one() -> None:
    assert decoded() == SessionEvidence(
        pid=22778,
        conversation="d9a70b06-85bf-4de3-b22f-6fb08a9ca767",
        process_start="82925",
        started_at=1795352082.124,
        status="idle",
        status_at=1795352253.306,
        pane="%2",
    )
    waiting = decoded(status="waiting", waitingFor="permission prompt")
    assert waiting is not None
    assert (waiting.status, waiting.waiting_for) == ("waiting", "permission prompt")


def test_a_session_whose_name_has_dots_and_percents() -> None:
    found = decoded(tmux="a.%9.b:@2.%12")
    assert found is not None
    assert found.pane == "%12"


def test_what_is_missing_counts_as_not_said() -> None:
    assert decode(b'{"pid": 5}') == SessionEvidence(pid=5)


def test_what_is_no_session_file_is_none() -> None:
    whole = json.dumps(REAL).encode()
    for content in (b"", b"null", b"[]", b'"busy"', b"{}", b'{"pid": "5"}', b'{"pid": true}', b'{"pid": -1}', b"\xff"):
        assert decode(content) is None
    for cut in range(len(whole)):  # a writer may be at it
        assert decode(whole[:cut]) is None


TEXT = st.text("ab.%:1 é✳\n\x00", max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(fields=st.dictionaries(st.sampled_from([*REAL, "waitingFor", "new"]), JSON))
def test_any_value_in_any_field_is_borne(fields: dict[str, object]) -> None:
    """What is not as we know it counts as not said; the rest is told all the same."""
    found = decode(json.dumps({**REAL, **fields}).encode())
    if found is None:
        assert not isinstance(fields["pid"], int) or fields["pid"] <= 0 or isinstance(fields["pid"], bool)
        return
    assert msgspec.json.decode(msgspec.json.encode(found), type=SessionEvidence) == found
    if not isinstance(fields.get("status", ""), str):
        assert found.status == ""


@given(content=st.binary(max_size=200))
def test_any_bytes_are_borne(content: bytes) -> None:
    decode(content)


def test_where_they_are(tmp_path: Path) -> None:
    assert folder({"HOME": str(tmp_path)}) == tmp_path / ".claude/sessions"
    assert folder({"HOME": "/h", "CLAUDE_CONFIG_DIR": str(tmp_path)}) == tmp_path / "sessions"
    assert folder({"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": ""}) == tmp_path / ".claude/sessions"
