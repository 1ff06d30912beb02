from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageKind
from orchestrator_core.services.envelope import PLAIN_CHARACTERS, PLAIN_LINES, seal


def message(text: str, *, kind: MessageKind = MessageKind.TEXT, sender: str = "you") -> AgentMessage:
    return AgentMessage(id=MessageId(42), target=AgentId("shop:developer"), sender=sender, text=text, kind=kind)


def test_header_names_the_message_and_its_sender() -> None:
    note = message("go on", sender="shop:tester")
    assert seal(note, note.text).prompt == "[tmorch 42 from shop:tester] go on"


def test_the_person_is_not_called_you_towards_an_agent() -> None:
    assert seal(message("go on"), "go on").prompt == "[tmorch 42 from the person] go on"


def test_a_briefing_says_that_it_is_one() -> None:
    note = message("Read this.", kind=MessageKind.BRIEFING)
    assert seal(note, note.text).prompt == "[tmorch 42 briefing] Read this."


@given(st.sampled_from(["!ls", "/compact", "-x", "1", "#note", "fix \\", "a\\\nb\\"]))
def test_no_text_keeps_a_meaning_of_its_own_at_the_prompt(text: str) -> None:
    prompt = seal(message(text), text).prompt
    assert prompt.startswith("[tmorch 42 ")
    assert not prompt.endswith("\\")


@given(st.text(max_size=3000))
def test_prompt_is_the_header_and_the_text(text: str) -> None:
    envelope = seal(message(text), text)
    assert envelope.prompt.removesuffix(" " if text.endswith("\\") else "").endswith(text)
    assert envelope.mark in envelope.parts[0]


@given(st.text(alphabet="ab\n", max_size=2000))
def test_a_long_text_is_pasted_after_a_short_sentence_of_its_own(text: str) -> None:
    first, *rest = seal(message(text), text).parts
    assert len(first) <= PLAIN_CHARACTERS
    assert first.count("\n") < PLAIN_LINES
    assert len(rest) <= 1
