"""The store: every repository over one connection."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import CheckIn, Firing
from orchestrator_core.models.event import Event
from orchestrator_core.models.hook import HookFact
from orchestrator_core.models.message import AgentMessage
from orchestrator_core.models.need import Answer, Need
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.store.agents import Agents
from orchestrator_core.store.answers import Answers
from orchestrator_core.store.check_ins import CheckIns
from orchestrator_core.store.database import Database
from orchestrator_core.store.events import Events
from orchestrator_core.store.firings import Firings
from orchestrator_core.store.health import Health
from orchestrator_core.store.hook_facts import HookFacts
from orchestrator_core.store.journal import Journal, JournalEntry
from orchestrator_core.store.messages import Messages
from orchestrator_core.store.needs import Needs
from orchestrator_core.store.orchestrations import Orchestrations
from orchestrator_core.store.proposals import Proposals
from orchestrator_core.store.routes import Routes

MODELS = (Orchestration, Agent, AgentMessage, Event, JournalEntry, HookFact, Need, Answer, CheckIn, Firing)
"""What is kept row by row."""


class Store:
    """What tmorch remembers. Usable from any thread; during one's transaction the others wait.

    Each method is one transaction unless it is called inside `transaction()`. Values are frozen models; times are
    seconds since the epoch, given by the caller. Every method may raise StoreError: the disk is full, the file
    became unreadable, another process kept it locked for more than 5 seconds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.orchestrations = Orchestrations(database)
        self.agents = Agents(database)
        self.messages = Messages(database)
        self.events = Events(database)
        self.health = Health(database)
        self.journal = Journal(database)
        self.hook_facts = HookFacts(database)
        self.needs = Needs(database)
        self.answers = Answers(database)
        self.routes = Routes(database)
        self.check_ins = CheckIns(database)
        self.firings = Firings(database)
        self.proposals = Proposals(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Do all calls in a `with` block or, when it ends with an error, none of them.

        Other writers wait meanwhile: keep it short, and never await inside. May be nested: an inner block that
        fails is taken back on its own, and the outer one decides about the rest.
        """
        return self._database.transaction()

    def data_version(self) -> int:
        """Return a number that differs from that of the last call when another connection has committed since.

        It does not change for commits of this store itself. Costs microseconds and starts no transaction.

        Raises:
            StoreError: (code `replaced`) the file was removed, moved or replaced: this store is of no more use.

        """
        return self._database.data_version()

    def revision(self) -> tuple[int, int]:
        """Return a value that differs from that of the last call when anybody has committed since, we ourselves too.

        Raises as `data_version` does.
        """
        return self._database.revision()

    def stamp(self) -> tuple[int, int]:
        """Return a value that changes with the database. Costs one `stat`; may be called from any thread.

        A commit within the same tick of the file system's clock as the one before may not show: ask for the
        `revision` once in a while as well.
        """
        return self._database.stamp()

    @property
    def unreadable(self) -> tuple[StoreError, ...]:
        """Rows that listings have left out because they cannot be read; each is in the event log as well."""
        return self._database.unreadable

    def check_rows(self) -> tuple[StoreError, ...]:
        """Read every row there is, and return what is wrong with those that cannot be read. Writes nothing."""
        return self._database.check_rows(MODELS) + self.proposals.faults()

    def close(self) -> None:
        """Close the connection; closing it twice is harmless."""
        self._database.close()


def open_store(path: Path) -> Store:
    """Open the database at `path`: made if there is none, and brought to this version.

    Raises:
        StoreError: it cannot be opened (no access, a locked or full disk, another program's file, a newer version),
            or it was damaged; then it has been moved aside, the error says where to, and the next call makes a new
            one.

    """
    return Store(Database(path))
