"""What a turn consists of besides its answer: the hooks before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.activity import Activity
from orchestrator_core.agents.demo.background import Background, Task
from orchestrator_core.agents.demo.events import Events, continued
from orchestrator_core.agents.demo.record import Record
from orchestrator_core.agents.demo.steps import Await, Job, Say, Script, Think
from orchestrator_core.agents.demo.transcript import Notice, Reply, Transcript

FEEDBACK = "Stop hook feedback:\n"
"""What comes before the words of a Stop hook."""
SUMMARY = "The conversation so far, in short."


class Brain(Protocol):
    """What decides how the agent answers."""

    def answer(self, prompts: Sequence[str]) -> Script:
        """Return the script for one turn; several prompts were queued and came together."""
        ...


class Rounds:
    """Makes the scripts of whole turns."""

    def __init__(
        self,
        brain: Brain,
        transcript: Transcript,
        activity: Activity,
        events: Events,
        background: Background,
        record: Record,
    ) -> None:
        self._brain = brain
        self._transcript = transcript
        self._activity = activity
        self._events = events
        self._background = background
        self._record = record
        self.has_feedback = False
        """A Stop hook made the latest turn longer."""

    def answer(self, prompts: Sequence[str], heard: Job) -> Script:
        """Answer prompts, as soon as the hooks have heard of them."""
        for prompt in prompts:
            self._events.conversation.add_user(prompt)
        yield Await(heard)
        yield from self.whole(self._brain.answer(prompts))

    def whole(self, script: Script) -> Script:
        """Play `script`, and end as a turn ends."""
        self._transcript.said = ""
        self.has_feedback = False
        yield from script
        yield from self.closing()

    def closing(self) -> Script:
        """End a turn: the Stop hooks may have more to do. They are not asked when the person refused something."""
        again = False
        while True:
            self._keep_answer()
            if self._activity.is_refused:
                return
            stopped = self._events.stopped(self._transcript.said, again=again, tasks=self._background.told)
            reason = continued((yield Await(stopped)))
            if not reason:
                return
            again = self.has_feedback = True
            self._take_feedback(reason)
            yield from self._brain.answer((reason,))

    def _keep_answer(self) -> None:
        if self._transcript.said:
            self._events.conversation.add_assistant(self._transcript.said)

    def _take_feedback(self, reason: str) -> None:
        self._record.add("hook", FEEDBACK + reason)
        self._events.conversation.add_user(FEEDBACK + reason)
        self._transcript.add(Reply("Ran 1 stop hook"))
        self._transcript.add(Notice(f"Stop hook reported a problem\n{reason}", ink=c.GREY))

    def compact(self, seconds: float) -> Script:
        """Shorten the conversation."""
        yield Await(self._events.compacting())
        yield Think(seconds, "Compacting conversation")
        yield Await(self._events.compacted(SUMMARY))
        self._transcript.add(Notice("Compacted (ctrl+o to see full summary)", ink=c.GREY))

    def resume_after(self, task: Task) -> Script:
        """Go on because something in the background is over."""
        yield Await(self._events.prompted(f"<task-notification>{task.id} completed</task-notification>"))
        yield from self.whole(_say(f"{'The subagent' if task.is_subagent else 'The command'} is done."))


def _say(text: str) -> Script:
    yield Say(text, 0)
