"""What is typed for a message, and what of it is recognised at a prompt."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import CHECK_IN, CHECK_IN_BY, PERSON, AgentMessage, MessageKind
from orchestrator_core.services.envelope import PLAIN_CHARACTERS, PLAIN_LINES, Envelope, Lying, lying, seal

FOLD = "[Pasted text #"
words = st.lists(st.text(alphabet=st.characters(categories=("L", "Nd")), min_size=1, max_size=12), min_size=1)


def message(text: str, *, kind: MessageKind = MessageKind.TEXT, sender: str = "you") -> AgentMessage:
    return AgentMessage(id=MessageId(42), target=AgentId("shop:developer"), sender=sender, text=text, kind=kind)


def sealed(text: str, *commands: str) -> Envelope:
    return seal(message(text), text, commands)


def test_header_names_the_message_and_its_sender() -> None:
    note = message("go on", sender="shop:tester")
    assert seal(note, note.text).prompt == "[tmorch 42 from shop:tester] go on"


def test_the_person_is_not_called_you_towards_an_agent() -> None:
    assert sealed("go on").prompt == "[tmorch 42 from the person] go on"


def test_a_briefing_says_that_it_is_one() -> None:
    note = message("Read this.", kind=MessageKind.BRIEFING)
    assert seal(note, note.text).prompt == "[tmorch 42 briefing] Read this."


@pytest.mark.parametrize(
    ("sender", "origin"),
    [
        (CHECK_IN, "check-in"),
        (CHECK_IN_BY + "shop:tester", "check-in by shop:tester"),
        (CHECK_IN_BY + PERSON, "check-in by the person"),
        (CHECK_IN_BY + "a]\n[b", "check-in by a b"),
    ],
)
def test_a_check_in_says_that_it_is_one_and_whose(sender: str, origin: str) -> None:
    envelope = seal(message("look at the tests", sender=sender), "look at the tests")
    assert envelope.prompt == f"[tmorch 42 {origin}] look at the tests"
    assert lying(envelope.prompt, envelope, FOLD) is Lying.WHOLE
    assert lying(textwrap.fill(envelope.prompt, 30), envelope, FOLD) is Lying.WHOLE


def test_no_name_ends_the_header() -> None:
    assert seal(message("hi", sender="a]\n\x1b[201~ [b"), "hi").prompt == "[tmorch 42 from a 201~ b] hi"


@given(st.sampled_from(["!ls", "/compact", "-x", "1", "#note", "fix \\", "a\\\nb\\"]))
def test_no_text_keeps_a_meaning_of_its_own_at_the_prompt(text: str) -> None:
    prompt = sealed(text).prompt
    assert prompt.startswith("[tmorch 42 ")
    assert not prompt.endswith("\\")


@given(st.text(max_size=3000))
def test_prompt_is_the_header_and_the_text(text: str) -> None:
    envelope = sealed(text)
    assert envelope.prompt.removesuffix(" " if text.endswith("\\") else "").endswith(text)
    assert envelope.is_in(envelope.parts[0])


@given(st.text(alphabet="ab\n", max_size=2000))
def test_a_long_text_follows_a_short_sentence_of_its_own(text: str) -> None:
    first, *rest = sealed(text).parts
    assert len(first) <= PLAIN_CHARACTERS
    assert first.count("\n") < PLAIN_LINES
    assert len(rest) <= 1
    assert not rest or first == "[tmorch 42 from the person] Please act on this message: "


def test_a_command_of_the_agents_own_is_typed_alone() -> None:
    """Scenario 33."""
    command = sealed("/compact", "/compact")
    assert (command.parts, command.is_command) == (("/compact",), True)
    for text in ("/compact now", "use /compact", "/compact\n", "/clear"):
        assert sealed(text, "/compact").prompt == f"[tmorch 42 from the person] {text}"
    briefing = message("/compact", kind=MessageKind.BRIEFING)
    assert not seal(briefing, "/compact", ("/compact",)).is_command


def test_a_number_is_no_prefix_of_another() -> None:
    assert not sealed("go on").is_in("[tmorch 421 from the person] go on")
    assert sealed("go on").is_in("[tmorch 42 from\n  the person] go on")


# --- at the prompt


@given(words, st.integers(min_value=8, max_value=120))
def test_a_text_is_recognised_however_it_is_wrapped(text: list[str], width: int) -> None:
    envelope = sealed(" ".join(text)[:700])
    assume(len(envelope.parts) == 1)
    rows = textwrap.wrap(envelope.prompt, width)
    assert lying("\n".join(rows), envelope, FOLD) is Lying.WHOLE
    assert lying("\n".join(rows[-20:]) if len("".join(rows[-20:])) > 80 else "\n".join(rows), envelope) is Lying.WHOLE


@given(words)
def test_somebody_elses_text_beside_ours_is_noticed(text: list[str]) -> None:
    envelope = sealed(" ".join(text)[:700])
    assert lying(f"{envelope.prompt} and then", envelope, FOLD) is Lying.MIXED
    assert lying(f"half a thou{envelope.prompt}", envelope, FOLD) is Lying.MIXED


@pytest.mark.parametrize(
    "draft", ["", "half a thought", "[tmorch 7 from the person] go on", "❯ 1", f"{FOLD}1 +9 lines]"]
)
def test_a_draft_is_not_ours(draft: str) -> None:
    for envelope in (sealed("go on"), sealed("go on\n" * 400)):
        assert lying(draft, envelope, FOLD) is Lying.NOTHING


def test_a_beginning_is_not_the_whole() -> None:
    assert lying("[tmorch 42 from the person] go", sealed("go on"), FOLD) is Lying.PART
    long = sealed("go on\n" * 400)
    assert lying(long.parts[0], long, FOLD) is Lying.PART
    assert lying(f"{long.parts[0]}half a thought", long, FOLD) is Lying.MIXED


def test_a_fold_stands_for_a_long_text() -> None:
    envelope = sealed("go on\n" * 400)
    shown = f"{envelope.parts[0]}{FOLD}1 +400 lines]"
    assert lying(shown, envelope, FOLD) is Lying.WHOLE
    assert lying("\n".join(textwrap.wrap(shown, 20)), envelope, FOLD) is Lying.WHOLE
    assert lying(f"{shown} and then", envelope, FOLD) is Lying.MIXED
    assert lying(f"oh {shown}", envelope, FOLD) is Lying.MIXED
    assert lying(shown, sealed("short"), FOLD) is not Lying.WHOLE


def test_what_screens_draw_in_their_own_way_does_not_matter() -> None:
    envelope = sealed("👩‍👩‍👧 fix\tit; “so”…")
    assert lying('[tmorch 42 from the person] 👩👩👧 fix    it; "so"', envelope, FOLD) is Lying.WHOLE


def test_a_command_at_the_prompt() -> None:
    command = sealed("/compact", "/compact")
    shown = {"/compact": Lying.WHOLE, "/com": Lying.PART, "/compact x": Lying.MIXED, "hello": Lying.NOTHING}
    assert {draft: lying(draft, command) for draft in shown} == shown
