"""Proposals: saved ones that wait for the person, and those that became orchestrations."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, StoreError
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import Proposal, ProposalId, SavedProposal
from orchestrator_core.store.database import Database
from orchestrator_core.store.faults import undecodable
from orchestrator_core.store.tables import ProposalRow

SAVED = "saved"
STARTED = "started"
DISCARDED = "discarded"
KEPT_S = 30 * 86400.0
"""How long a discarded proposal stays, from when it was saved."""


class _Number(msgspec.Struct, frozen=True):
    """What of a stored proposal tells whether it had been saved before it was started, whatever wrote the rest."""

    saved: int = 0


class Proposals:
    """The proposals of this state folder."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save(self, proposal: Proposal, at: float) -> Proposal:
        """Keep a proposal until it is started or discarded; return it with its number.

        Saving it again replaces it; one that was started or discarded meanwhile becomes another.
        """
        row = {"body": _body(proposal), "project": proposal.project.path, "saved_at": at}
        with self._db.transaction():
            self._prune(at)
            waiting = (ProposalRow.id == proposal.saved) & (ProposalRow.state == SAVED)
            if proposal.saved and self._db.write(ProposalRow.update(row).where(waiting)):
                return proposal
            number = self._db.write(ProposalRow.insert({**row, "state": SAVED}))
        return replace(proposal, saved=ProposalId(number))

    def get(self, number: ProposalId) -> Proposal:
        """Return a saved proposal.

        Raises:
            NotFoundError: there is none with that number that waits for the person.
            StoreError: it was saved by another version of tmorch and cannot be read (`old-proposal`).

        """
        rows = self._rows((ProposalRow.id == number) & (ProposalRow.state == SAVED))
        if not rows:
            known = tuple(str(each.id) for each in self.list())
            raise NotFoundError(
                f"there is no saved proposal {number}",
                cause=f"saved are {', '.join(known)}" if known else "none is saved",
                remedy="`tmorch plan --save` saves one",
                code="no-proposal",
                candidates=known,
            )
        return _read(rows[0])

    def list(self) -> tuple[SavedProposal, ...]:
        """Return the proposals that wait for the person, newest first. Unreadable ones are left out and reported."""
        read, faults = _split(reversed(self._rows(ProposalRow.state == SAVED)))
        return self._db.readable((tuple(_listed(proposal, at) for proposal, at in read), faults))

    def started(self, proposal: Proposal, orchestration: OrchestrationId, at: float) -> None:
        """Keep what an orchestration was started from; a saved one is not waiting any more."""
        with self._db.transaction():
            number = self.save(proposal, at).saved
            row = {"state": STARTED, "orchestration": orchestration}
            self._db.write(ProposalRow.update(row).where(ProposalRow.id == number))

    def not_started(self, orchestration: OrchestrationId) -> None:
        """Let a saved proposal wait again, since its start was undone; one that was never saved goes."""
        with self._db.transaction():
            for row in self._rows((ProposalRow.orchestration == orchestration) & (ProposalRow.state == STARTED)):
                was_saved = msgspec.json.decode(str(row["body"]), type=_Number).saved == row["id"]
                change = {"state": SAVED, "orchestration": None} if was_saved else {"state": DISCARDED}
                self._db.write(ProposalRow.update(change).where(ProposalRow.id == row["id"]))

    def of(self, orchestration: OrchestrationId) -> Proposal | None:
        """Return what an orchestration was started from; None when that is not known.

        Raises:
            StoreError: it was started by another version of tmorch, and cannot be read (`old-proposal`).

        """
        rows = self._rows(ProposalRow.orchestration == orchestration)
        return _read(rows[-1]) if rows else None

    def discard(self, number: ProposalId) -> bool:
        """Let a saved proposal wait no more; return False when none did."""
        is_it = (ProposalRow.id == number) & (ProposalRow.state == SAVED)
        return bool(self._db.write(ProposalRow.update({"state": DISCARDED}).where(is_it)))

    def faults(self) -> tuple[StoreError, ...]:
        """Return what is wrong with the proposals that cannot be read, but for discarded ones. Writes nothing."""
        return _split(self._rows(ProposalRow.state != DISCARDED))[1]

    def _prune(self, now: float) -> None:
        old = (ProposalRow.state == DISCARDED) & (ProposalRow.saved_at < now - KEPT_S)
        self._db.write(ProposalRow.delete().where(old))

    def _rows(self, condition: object) -> builtins.list[dict[str, object]]:
        return self._db.rows(ProposalRow.select().where(condition).order_by(ProposalRow.id))


def _body(proposal: Proposal) -> str:
    try:
        return msgspec.json.encode(proposal).decode()
    except UnicodeEncodeError as error:  # a name of the file system that is not UTF-8
        raise undecodable(error) from error


def _split(
    rows: Iterable[dict[str, object]],
) -> tuple[builtins.list[tuple[Proposal, float]], tuple[StoreError, ...]]:
    """Return the proposals that can be read with when they were saved, and what is wrong with the others."""
    read, faults = [], []
    for row in rows:
        try:
            read.append((_read(row), float(str(row["saved_at"]))))
        except StoreError as fault:
            faults.append(fault)
    return read, tuple(faults)


def _listed(proposal: Proposal, at: float) -> SavedProposal:
    return SavedProposal(
        id=proposal.saved,
        project=proposal.project.path,
        spec=proposal.spec.path,
        goal=proposal.spec.goal,
        agents=len(proposal.team.chosen),
        saved_at=at,
    )


def _read(row: dict[str, object]) -> Proposal:
    number = ProposalId(int(str(row["id"])))
    try:
        return replace(msgspec.json.decode(str(row["body"]), type=Proposal), saved=number)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"the {row['state']} proposal {number} cannot be read",
            cause=f"it is of another version of tmorch: {error}",
            remedy=f"propose it anew; `tmorch plan --discard {number}` lets it go",
            code="old-proposal",
        ) from error
