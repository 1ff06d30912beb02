"""One store used by several threads at once: a screen reads while a start writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

from orchestrator_core.models.message import PERSON
from orchestrator_core.store import Store, open_store
from tests.unit.test_store_contract import DEVELOPER, an_agent, an_orchestration

ROUNDS = 60


def send(store: Store, number: int) -> None:
    """Write two messages, all or nothing; every third time nothing."""
    with suppress(ZeroDivisionError), store.transaction():
        store.messages.add(DEVELOPER, PERSON, f"{number} one", at=1.0)
        store.messages.add(DEVELOPER, PERSON, f"{number} two", at=1.0)
        _ = 1 / (number % 3)


def test_transactions_of_several_threads_do_not_mix(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "tmorch.db")) as store, ThreadPoolExecutor(4) as threads:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent())
        list(threads.map(lambda number: send(store, number), range(ROUNDS)))
        texts = {message.text for message in store.messages.latest(DEVELOPER, 10 * ROUNDS)}
    wanted = [number for number in range(ROUNDS) if number % 3]
    assert texts == {f"{number} {part}" for number in wanted for part in ("one", "two")}
