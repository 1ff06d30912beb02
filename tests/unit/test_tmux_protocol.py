"""Control mode, taken apart: recordings of four tmux versions, and every way to cut a stream."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.models.ids import PaneId
from orchestrator_core.tmux.protocol import ControlParser, Event, Notification, Reply, unescape

RECORDINGS = sorted((Path(__file__).parents[1] / "data" / "control_mode").glob("tmux-*.bin"))

REPLY = b"%begin 1700000000 7 1\nfirst\n\n%end of the line\n%begin 1 2 3\n%end 1700000000 8 1\n%end 1700000000 7 1\n"


def parse(data: bytes) -> list[Event]:
    return ControlParser().feed(data)


def test_a_reply_keeps_every_line_whatever_it_begins_with() -> None:
    (reply,) = parse(REPLY)
    assert reply == Reply(
        number=7, ok=True, lines=("first", "", "%end of the line", "%begin 1 2 3", "%end 1700000000 8 1")
    )


def test_an_error_is_a_reply_that_is_not_ok() -> None:
    (reply,) = parse(b"%begin 1 5 1\ncan't find pane: %9\n%error 1 5 1\n")
    assert reply == Reply(number=5, ok=False, lines=("can't find pane: %9",))


def test_a_reply_to_nobody_says_so() -> None:
    (reply,) = parse(b"%begin 1 5 0\n%end 1 5 0\n")
    assert isinstance(reply, Reply)
    assert not reply.solicited


def test_an_unfinished_reply_waits() -> None:
    parser = ControlParser()
    assert parser.feed(b"%begin 1 5 1\nhalf a li") == []
    assert parser.feed(b"ne\n%end 1 5 1") == []
    assert parser.feed(b"\n") == [Reply(number=5, ok=True, lines=("half a line",))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"%output %3 a\\033[m b", Notification(name="output", pane=PaneId("%3"), data=b"a\\033[m b")),
        (
            b"%extended-output %3 12 : a : b",
            Notification(name="extended-output", args="12", pane=PaneId("%3"), data=b"a : b"),
        ),
        (b"%pause %3", Notification(name="pause", args="%3", pane=PaneId("%3"))),
        (b"%exit", Notification(name="exit")),
        (b"%exit too far behind", Notification(name="exit", args="too far behind")),
        (b"%session-changed $1 a name", Notification(name="session-changed", args="$1 a name")),
        (b"%never-heard-of @1 \xff", Notification(name="never-heard-of", args="@1 \ufffd")),
        (b"a hook's output", Notification(name="", args="a hook's output")),
        (b"%end 1 2 1", Notification(name="end", args="1 2 1")),
        (b"", Notification(name="")),
    ],
)
def test_notifications(line: bytes, expected: Notification) -> None:
    assert parse(line + b"\n") == [expected]


def escape(data: bytes) -> bytes:
    """Escape as tmux does."""
    return b"".join(b"\\%03o" % byte if byte < 32 or byte == 92 else bytes((byte,)) for byte in data)


@given(st.binary())
def test_output_comes_back_as_the_pane_wrote_it(data: bytes) -> None:
    (heard,) = parse(b"%output %1 " + escape(data) + b"\n")
    assert isinstance(heard, Notification)
    assert heard.payload() == unescape(escape(data)) == data


streams = st.lists(
    st.one_of(
        st.just(REPLY),
        st.just(b"%output %1 \\033[31mx\n"),
        st.builds(lambda text: text.replace(b"\n", b" ") + b"\n", st.binary(max_size=40)),
        st.builds(lambda text: b"%begin 3 4 1\n" + text + b"\n%end 3 4 1\n", st.binary(max_size=40)),
    ),
    max_size=8,
).map(b"".join)


@given(streams, st.lists(st.integers(min_value=0, max_value=400), max_size=12))
def test_where_the_stream_is_cut_makes_no_difference(stream: bytes, cuts: list[int]) -> None:
    bounds = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    parser = ControlParser()
    pieces = [stream[start:end] for start, end in itertools.pairwise(bounds)]
    assert [event for piece in pieces for event in parser.feed(piece)] == parse(stream)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_conversation(recording: Path) -> None:
    events = parse(recording.read_bytes())
    greeting, *replies = [event for event in events if isinstance(event, Reply)]
    assert not greeting.solicited
    assert all(reply.solicited for reply in replies)
    assert [reply.lines for reply in replies if not reply.ok] == [
        ("parse error: unknown command: no-such-command",),
        ("can't find pane: %99",),
    ]
    assert [reply.lines for reply in replies[:2]] == [("hello",), ("%end is no end",)]
    screen = next(reply.lines for reply in replies if any("back" in line for line in reply.lines))
    assert screen[0].expandtabs() == r"tab     esc back\slash é漢 %end 1 2 1"
    heard = b"".join(event.payload() for event in events if isinstance(event, Notification) and event.data)
    assert heard.decode().startswith("tab\tesc\x1b[31m back\\slash é漢 %end 1 2 1\r\n")
    names = [event.name for event in events if isinstance(event, Notification)]
    assert [names.count(name) for name in ("session-changed", "window-add", "exit")] == [2, 1, 1]
    assert names[-1] == "exit"
    assert "" not in names
