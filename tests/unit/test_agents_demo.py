"""The demo agent without a terminal: keys, prompt, turns and roles, by a clock of our own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.demo import view as screen
from orchestrator_core.agents.demo.agent import DemoAgent
from orchestrator_core.agents.demo.answers import Echo
from orchestrator_core.agents.demo.cells import cut, width, wrap
from orchestrator_core.agents.demo.control import Control
from orchestrator_core.agents.demo.conversation import Conversation
from orchestrator_core.agents.demo.events import Events, NoHooks
from orchestrator_core.agents.demo.keys import Input, Key, KeyReader, Pasted, Typed
from orchestrator_core.agents.demo.orders import obey
from orchestrator_core.agents.demo.prompt_box import PromptBox, Submission, kind_of
from orchestrator_core.agents.demo.record import Record
from orchestrator_core.agents.demo.show.orchestrator import deliverables
from orchestrator_core.agents.demo.show.player import Player, Stage, take_apart
from orchestrator_core.agents.demo.show.roles import PLAYERS, player_of
from orchestrator_core.agents.demo.show.scenario import scenario
from orchestrator_core.agents.demo.steps import Ask, Done, Job, Outcome, Run, Say, Step, Think, Work
from orchestrator_core.agents.demo.temper import Exit, Temper
from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.screen_patterns import patterns
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame

BEGIN, END = b"\x1b[200~", b"\x1b[201~"


class TestKeys:
    def read(self, *reads: bytes) -> list[Input]:
        reader = KeyReader()
        return [entry for data in reads for entry in reader.feed(data)] + reader.flush()

    def test_text_keys_and_pastes(self) -> None:
        assert self.read(b"ab\r") == [Typed("ab"), Key("Enter")]
        assert self.read(BEGIN + b"a\r\nb\rc" + END + b"\r") == [Pasted("a\nb\nc"), Key("Enter")]
        assert self.read(b"\x1b[A\x1b[B\x1bOA\x1b[Z\x7f\x03\n") == [
            *(Key("Up"), Key("Down"), Key("Up"), Key("S-Tab"), Key("Backspace"), Key("C-c"), Key("C-j"))
        ]

    def test_a_lone_escape_waits_for_its_rest(self) -> None:
        reader = KeyReader()
        assert reader.feed(b"\x1b") == []
        assert reader.waits
        assert reader.feed(b"[A") == [Key("Up")]
        assert reader.feed(b"\x1b") == []
        assert reader.flush() == [Key("Escape")]
        assert not reader.waits

    def test_what_is_not_known_is_left_out(self) -> None:
        assert self.read(b"\x1b[5~\x1b[1;5Cx\x00\x01") == [Typed("x")]

    def test_escape_twice(self) -> None:
        assert self.read(b"\x1b\x1b") == [Key("Escape"), Key("Escape")]

    def test_bytes_that_are_no_text_do_not_matter(self) -> None:
        assert self.read(b"\xff\xfea") == [Typed("\ufffd\ufffda")]

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1b\r"), max_size=60), st.data())
    def test_a_paste_may_come_in_any_pieces(self, text: str, data: st.DataObject) -> None:
        sent = BEGIN + text.encode() + END
        cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
        pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
        assert self.read(*pieces) == [Pasted(text)]

    @given(st.binary(max_size=80))
    def test_no_bytes_are_a_fault(self, data: bytes) -> None:
        self.read(data, data)


class TestPromptBox:
    def test_long_pastes_are_folded_with_their_own_numbers(self) -> None:
        box = PromptBox()
        box.paste("x" * 801)
        box.type(" and ")
        box.paste("1\n2\n3\n4")
        assert box.shown == "[Pasted text #1 +0 lines] and [Pasted text #2 +3 lines]"
        assert box.text == "x" * 801 + " and 1\n2\n3\n4"

    def test_erasing_takes_a_letter_or_a_fold(self) -> None:
        box = PromptBox()
        box.type("ab")
        box.paste("x" * 900)
        box.erase()
        assert box.text == "ab"
        for _ in range(5):
            box.erase()
        assert box.text == ""

    def test_a_backslash_makes_a_line_break(self) -> None:
        box = PromptBox()
        box.type("a\\")
        assert box.enter() is None
        assert box.text == "a\n"
        box.paste("y" * 900 + "\\")
        assert box.enter() is None
        assert box.text.endswith("y\\\n")

    def test_nothing_is_not_sent(self) -> None:
        box = PromptBox()
        box.type("  \n")
        assert box.enter() is None

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("hello", "prompt"), ("!ls", "bang"), (" !ls", "prompt"), ("/compact", "command"), ("/a:b now", "command"),
            ("/tmp/x y", "prompt"), ("/", "prompt"), ("1. /x", "prompt"), ("[tmorch 1 from x] /x", "prompt"),
        ],
    )  # fmt: skip
    def test_kinds(self, text: str, kind: str) -> None:
        assert kind_of(text) == kind

    @given(st.text(min_size=1).filter(lambda text: text.strip() and not text.endswith("\\")))
    def test_what_is_sent_is_what_was_put_in(self, text: str) -> None:
        box = PromptBox()
        box.paste(text)
        assert box.enter() == Submission(text, kind_of(text))
        assert box.text == ""


class TestCells:
    def test_width(self) -> None:
        assert [width(text) for text in ("abc", "日本", "é", "e\u0301", "🙂", "")] == [3, 4, 1, 1, 2, 0]

    @given(st.text(max_size=80), st.integers(4, 40))
    def test_no_row_is_too_wide_and_no_word_is_lost(self, text: str, columns: int) -> None:
        rows = list(wrap(text, columns))
        assert all(width(row) <= columns for row in rows)
        kept = "".join("".join(rows).split())
        assert kept == "".join(
            c for c in "".join(text.expandtabs(4).split()) if c in kept or c >= "\xa0" or c.isprintable()
        )

    def test_cut(self) -> None:
        assert cut("日本語", 5) == "日本"
        assert cut("abcdef", 3) == "abc"


class NoJobs:
    """Commands that end at once."""

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []

    def start(self, argv: tuple[str, ...], now: float) -> Job:
        self.started.append(argv)
        return Ended()


class Ended:
    def poll(self, now: float) -> Outcome | None:
        return Outcome(text="done")


class ToldHooks(NoHooks):
    """Hooks that are written down; their answers are set beforehand."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.wanted = False
        self.answers: dict[str, list[dict[str, Any]]] = {}

    def has(self, event: str) -> bool:
        return self.wanted

    def fire(self, event: str, subject: str, payload: dict[str, Any]) -> Job:
        self.told.append((event, payload))
        answers = self.answers.get(event)
        return Answered(answers.pop(0)) if answers else Done()

    def names(self) -> list[str]:
        return [event for event, _ in self.told]


class Answered:
    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def poll(self, now: float) -> Outcome | None:
        return Outcome(text=json.dumps(self.answer))


class Desk:
    """A demo agent on a clock that is moved by hand."""

    def __init__(self, folder: Path, **temper: object) -> None:
        self.now = 0.0
        self.record = folder / "record.jsonl"
        self.trace = folder / "trace.jsonl"
        self.echo = Echo(1.0)
        self.hooks = ToldHooks()
        made = Temper(folder="/project")._replace(ready_after=0.0, **temper)  # type: ignore[arg-type]
        self.agent = DemoAgent(
            made,
            self.echo,
            NoJobs(),
            Events(self.hooks, Conversation("", "/project"), made.mode),
            now=0.0,
            record=Record(str(self.record)),
            trace=Record(str(self.trace)),
            random=Random(1),
        )
        self.agent.tick(0.0)

    def press(self, *inputs: Input) -> None:
        self.agent.press(inputs, self.now)

    def submit(self, text: str) -> None:
        self.press(Pasted(text))
        self.press(Key("Enter"))

    def do(self, what: str, **details: object) -> None:
        obey(self.agent, self.echo, {"do": what, **details}, self.now)

    def pass_time(self, seconds: float) -> None:
        """Let time pass as the program does: from deadline to deadline."""
        end = self.now + seconds
        while (due := self.agent.deadline(self.now)) <= end:
            assert due >= self.now
            self.now = max(due, self.now + 0.001)
            self.agent.tick(self.now)
        self.now = end

    def reading(self, columns: int = 100, rows: int = 30) -> Reading:
        lines = tuple(screen.compose(self.agent.view(self.now), columns, rows))
        assert len(lines) == rows
        frame = PaneFrame(
            pane=PaneId("%1"), lines=lines, width=columns, height=rows, cursor=Cursor(x=0, y=0, visible=False)
        )
        return read_screen(frame, patterns("claude"))

    def texts(self) -> list[str]:
        if not self.record.exists():
            return []
        return [json.loads(line)["text"] for line in self.record.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestAgent:
    def test_a_turn_takes_its_time(self, desk: Desk) -> None:
        assert desk.reading().state is ScreenState.READY
        desk.submit("hello")
        assert desk.reading().state is ScreenState.BUSY
        desk.pass_time(0.9)
        assert desk.reading().state is ScreenState.BUSY
        desk.pass_time(0.2)
        reading = desk.reading()
        assert (reading.state, reading.last_prompt) == (ScreenState.READY, "hello")

    def test_an_idle_agent_sleeps(self, desk: Desk) -> None:
        assert desk.agent.deadline(desk.now) == math.inf
        desk.do("permission", command="ls")
        assert desk.agent.deadline(desk.now) == math.inf

    def test_a_busy_agent_wakes_for_its_spinner_only(self, desk: Desk) -> None:
        desk.do("busy")
        wakes = 0
        while desk.now < 10:
            desk.now = desk.agent.deadline(desk.now)
            desk.agent.tick(desk.now)
            wakes += 1
        assert 45 <= wakes <= 55

    def test_speed_shortens_pauses(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, speed=10.0)
        desk.submit("hello")
        desk.pass_time(0.11)
        assert desk.reading().state is ScreenState.READY

    def test_before_it_is_ready_an_enter_is_lost(self, tmp_path: Path) -> None:
        agent = Desk(tmp_path, gates=("trust",))
        assert agent.reading().dialog == "trust"
        agent.press(Key("Down"), Key("Enter"))
        agent.submit("early")
        assert agent.reading().has_prompt is False
        agent.pass_time(1)
        assert agent.reading().draft == "early"
        assert agent.texts() == []

    @pytest.mark.parametrize("gate", ["trust", "bypass", "settings"])
    def test_refusing_a_gate_ends_it(self, tmp_path: Path, gate: str) -> None:
        desk = Desk(tmp_path, gates=(gate,))
        with pytest.raises(Exit) as end:
            desk.press(Key("Escape"))
        assert end.value.code == 1

    def test_typed_text_before_an_enter_in_one_read_swallows_it(self, desk: Desk) -> None:
        desk.press(Typed("a"), Key("Enter"))
        assert (desk.reading().draft, desk.texts()) == ("a", [])
        desk.press(Pasted("b"), Key("Enter"))
        assert desk.texts() == ["a\nb"]

    def test_queued_messages_are_one_turn(self, desk: Desk) -> None:
        desk.do("busy", seconds=5)
        for text in ("one", "two"):
            desk.submit(text)
        reading = desk.reading()
        assert (reading.queued, reading.draft, reading.last_prompt) == (True, "", "two")
        desk.pass_time(5.1)
        assert [json.loads(line)["text"] for line in desk.trace.read_text().splitlines()] == ["one\ntwo"]
        assert desk.reading().queued is False

    def test_messages_after_a_limit_are_taken_and_not_worked_on(self, desk: Desk) -> None:
        desk.do("limit", until="2:59pm")
        desk.submit("go on")
        reading = desk.reading()
        assert (reading.state, reading.resumes, desk.texts()) == (ScreenState.LIMIT, True, ["go on"])

    def test_after_an_error_there_is_a_placeholder(self, desk: Desk) -> None:
        desk.do("error", text="Credit balance too low")
        reading = desk.reading()
        assert (reading.state, reading.draft) == (ScreenState.ERROR, "")
        desk.submit("again")
        desk.pass_time(2)
        assert desk.reading().state is ScreenState.READY

    def test_slash_words_show_what_they_may_become(self, desk: Desk) -> None:
        desk.press(Typed("/co"))
        rows = screen.compose(desk.agent.view(0.0), 100, 30)
        assert any("❯ /compact" in row for row in rows)
        assert desk.reading().draft == "/co"

    @pytest.mark.parametrize("order", [{}, {"command": 1}, {"seconds": "x"}, {"until": None}, {"name": "no"}])
    @pytest.mark.parametrize("what", ["permission", "busy", "limit", "dialog", "question", "think", "fly"])
    def test_orders_that_make_no_sense_do_no_harm(self, desk: Desk, what: str, order: dict[str, object]) -> None:
        desk.do(what, **order)
        desk.do("idle")
        assert desk.reading().state in (ScreenState.READY, ScreenState.LIMIT)

    @pytest.mark.parametrize("columns", [20, 40, 80, 200])
    @pytest.mark.parametrize("rows", [6, 12, 24, 60])
    def test_any_size_can_be_drawn(self, desk: Desk, columns: int, rows: int) -> None:
        desk.submit("a message of some words, 日本語 too\n" * 5)
        for order in ("busy", "permission", "limit"):
            desk.do(order, command="rm -rf build", until="2:59pm")
            drawn = screen.compose(desk.agent.view(desk.now), columns, rows)
            assert len(drawn) == rows

    @given(st.lists(st.sampled_from(["Enter", "Escape", "Up", "Down", "C-j", "Backspace", "C-u", "Tab"]), max_size=12))
    def test_no_keys_are_a_fault(self, tmp_path_factory: pytest.TempPathFactory, keys: Sequence[str]) -> None:
        desk = Desk(tmp_path_factory.mktemp("desk"))
        desk.submit("hello")
        desk.do("permission", command="ls")
        for key in keys:
            desk.press(Typed("3 x"), Key(key))
            desk.pass_time(0.3)
            desk.reading()


class TestControl:
    def test_lines_are_taken_once_and_only_when_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "control"
        control = Control(str(path))
        assert control.take() == []
        path.write_text('{"do": "busy"}\n{"do": "id')
        assert control.take() == [{"do": "busy"}]
        with path.open("a") as file:
            file.write('le"}\nnonsense\n{"x": 1}\n[]\n')
        assert control.take() == [{"do": "idle"}]
        assert control.take() == []

    def test_without_a_file_nothing_is_polled(self) -> None:
        assert Control("").poll_s is None
        assert Control("").take() == []


def test_the_program_imports_nothing_but_the_standard_library() -> None:
    """A hundred of them run on one machine."""
    code = (
        "import orchestrator_core.agents.demo.program, orchestrator_core.agents.demo.show, sys\n"
        "heavy = ('msgspec', 'textual', 'rich', 'peewee', 'libtmux', 'jinja2', 'psutil', 'subprocess', 'asyncio',"
        " 'pathlib', 'uuid', 'orchestrator_core.agents.demo.shell', 'orchestrator_core.models',"
        " 'orchestrator_core.config')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the show ----------------------------------------------------------------------------------------------------

TEAM = ("orchestrator", "project_manager", "developer", "tester", "testrunner")


def player(folder: Path, role: str, *, seed: int = 1, team: tuple[str, ...] = TEAM) -> Player:
    return player_of(
        Stage(
            role=role,
            team=team,
            folder=str(folder),
            orchestration="demo-1",
            tmorch=("tmorch",),
            python="python3",
            random=Random(f"{seed}-{role}"),
            speed=1.0,
            clock=lambda: 0.0,
        )
    )


def test_who_is_started_again_does_nothing_twice(tmp_path: Path) -> None:
    made = player(tmp_path, "developer")
    again = type(made)(made.stage._replace(is_resumed=True))
    steps = play(again, "You are being started again by tmorch")
    assert {type(step) for step in steps} == {Think, Say}


def play(each: Player, *prompts: str, ok: bool = True) -> list[Step]:
    """Play one turn; work is done, commands are not run."""
    script = each.answer(prompts)
    steps: list[Step] = []
    outcome: Outcome | None = None
    while True:
        try:
            step = script.send(outcome) if outcome else next(script)
        except StopIteration:
            return steps
        steps.append(step)
        outcome = Outcome(ok=ok, text=step.act() if isinstance(step, Work) else "Ran 3 tests in 0.1s")


def sent(steps: Sequence[Step]) -> list[tuple[str, str]]:
    return [(step.argv[2], step.argv[3]) for step in steps if isinstance(step, Run) and step.argv[0] == "tmorch"]


@pytest.fixture
def till(tmp_path: Path) -> Path:
    for commit in scenario().history:
        for name, text in commit.files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    tasks = "\n".join(f"{n}. {task.deliverable}" for n, task in enumerate(scenario().tasks, 1))
    (tmp_path / "SPEC.md").write_text(f"GOAL: x\n\nDELIVERABLES:\n{tasks}\n\nSUCCESS CRITERIA:\n- ok\n")
    return tmp_path


class TestShow:
    @pytest.mark.parametrize("role", [*PLAYERS, "researcher"])
    def test_the_same_seed_gives_the_same_show(self, till: Path, role: str) -> None:
        def shape(seed: int) -> list[object]:
            steps = play(player(till, role, seed=seed), "the briefing")
            return [(step.title, step.seconds) if isinstance(step, Work) else step for step in steps]

        first = shape(1)
        for file in (till / "demo_notes", till / "build"):
            subprocess.run(["rm", "-rf", str(file)], check=True)
        assert shape(1) == first
        assert shape(2) != first

    @pytest.mark.parametrize("role", [*PLAYERS, "researcher"])
    def test_something_is_to_be_seen_within_seconds(self, till: Path, role: str) -> None:
        first = play(player(till, role), "the briefing")[0]
        assert isinstance(first, Think)
        assert first.seconds < 5

    def test_the_orchestrator_gives_out_one_task_at_a_time(self, till: Path) -> None:
        orchestrator = player(till, "orchestrator")
        assert [to for to, _ in sent(play(orchestrator, "the briefing"))] == ["demo-1:developer"]
        for number in range(1, 7):
            passed = f"[tmorch {number} from demo-1:tester] Task {number} passes: it does"
            told = sent(play(orchestrator, passed))
            tasks = [text for to, text in told if to == "demo-1:developer"]
            assert len(tasks) == (number < 6)
            assert sent(play(orchestrator, passed)) == []  # heard twice, done once
        assert (till / "project_management/tasks.md").read_text().count("[x]") == 6

    @pytest.mark.parametrize("role", [*PLAYERS, "researcher"])
    def test_chatter_does_not_make_chatter(self, till: Path, role: str) -> None:
        each = player(till, role)
        play(each, "the briefing")
        sender = "tester" if role != "tester" else "developer"
        for text in ("thank you", "Task 99 passes: nothing", "are you there?", "done"):
            assert sent(play(each, f"[tmorch 1 from demo-1:{sender}] {text}")) == []
        assert sent(play(each, "[tmorch 2 from the person] how is it going?")) == []

    @pytest.mark.parametrize("role", [*PLAYERS, "researcher"])
    def test_the_person_is_answered(self, till: Path, role: str) -> None:
        each = player(till, role)
        play(each, "the briefing")
        steps = play(each, "[tmorch 2 from the person] paint it green")
        assert any(isinstance(step, Say) and "paint it green" in step.text for step in steps)
        assert "paint it green" in (till / f"demo_notes/{role}.md").read_text()

    def test_messages_of_one_agent_are_twenty_seconds_apart(self, till: Path) -> None:
        orchestrator = player(till, "orchestrator")
        play(orchestrator, "the briefing")
        steps = play(orchestrator, "[tmorch 1 from demo-1:tester] Task 1 passes: it does")
        at = next(n for n, step in enumerate(steps) if isinstance(step, Run) and step.argv[0] == "tmorch")
        pause = steps[at - 1]
        assert isinstance(pause, Think)
        assert pause.seconds == 20

    def test_one_agent_never_sends_without_end(self, till: Path) -> None:
        developer = player(till, "developer")
        play(developer, "the briefing")
        task = f"[tmorch 1 from demo-1:orchestrator] Task 1: {scenario().tasks[0].deliverable}"
        assert sum(len(sent(play(developer, task))) for _ in range(80)) == 60

    @pytest.mark.parametrize(
        ("team", "asker"),
        [
            (TEAM, "testrunner"),
            (("orchestrator", "project_manager", "developer", "tester"), "project_manager"),
        ],
    )
    def test_only_one_of_a_team_asks_and_only_once(self, till: Path, team: tuple[str, ...], asker: str) -> None:
        for role in team:
            each = player(till, role, team=team)
            steps = play(each, "the briefing", ok=False)
            asked = [step for step in steps if isinstance(step, Ask)]
            assert len(asked) == (role == asker)
            again = play(each, "[tmorch 1 from demo-1:orchestrator] Task 1 is finished. Please check it.", ok=False)
            assert not [step for step in again if isinstance(step, Ask)]
            subprocess.run(["rm", "-rf", str(till / "build")], check=True)

    @pytest.mark.parametrize("role", TEAM)
    def test_a_check_in_is_answered_in_a_line_and_starts_nothing(self, till: Path, role: str) -> None:
        each = player(till, role)
        play(each, "the briefing")
        steps = play(each, "[tmorch 9 check-in by demo-1:orchestrator] Task 1: how does it stand?")
        assert [type(step) for step in steps] == [Think, Say, Say]
        assert "how does it stand?" in str(steps[1])

    def test_headers_are_taken_apart(self) -> None:
        assert take_apart("[tmorch 4 from shop-1:tester] hi\nthere") == ("tester", "hi\nthere")
        assert take_apart("[tmorch 4 from the person] hi") == ("the person", "hi")
        assert take_apart("hi") == ("the person", "hi")
        assert take_apart("[tmorch 4 check-in] hi") == ("check-in", "hi")
        assert take_apart("[tmorch 4 check-in by shop-1:tester] hi") == ("check-in", "hi")

    def test_deliverables_are_read_from_any_spec(self) -> None:
        assert deliverables("## Deliverables\n\n- a\n- b.\n\n## Next\n- c") == ["a", "b"]
        assert deliverables("GOAL: x\nDELIVERABLES:\n1. a\n   more\n2) b\nSUCCESS CRITERIA:\n- c") == ["a", "b"]
        assert deliverables("nothing here") == []

    def test_a_change_is_made_once(self) -> None:
        for task in scenario().tasks:
            text = ""
            for change in task.steps:
                text = change.applied(text)
                assert change.applied(text) == text
