"""Proposals: saved ones that wait for the person, and those that became orchestrations."""

from __future__ import annotations

import builtins

import msgspec
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, StoreError
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import Proposal, ProposalId, SavedProposal
from orchestrator_core.store.database import Database
from orchestrator_core.store.tables import ProposalRow

SAVED = "saved"
STARTED = "started"
DISCARDED = "discarded"


class Proposals:
    """The proposals of this state folder."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save(self, proposal: Proposal, at: float) -> Proposal:
        """Keep a proposal until it is started or discarded; return it with its number. Saving again replaces it."""
        body = msgspec.json.encode(proposal).decode()
        if proposal.saved:
            row = {"body": body, "project": proposal.project.path, "state": SAVED, "saved_at": at}
            self._db.write(ProposalRow.update(row).where(ProposalRow.id == proposal.saved))
            return proposal
        number = self._db.write(ProposalRow.insert(project=proposal.project.path, body=body, state=SAVED, saved_at=at))
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
        """Return the proposals that wait for the person, newest first; without those that cannot be read."""
        found = []
        for row in reversed(self._rows(ProposalRow.state == SAVED)):
            try:
                proposal = _read(row)
            except StoreError:
                continue
            found.append(
                SavedProposal(
                    id=proposal.saved,
                    project=proposal.project.path,
                    spec=proposal.spec.path,
                    goal=proposal.spec.goal,
                    agents=len(proposal.team.chosen),
                    saved_at=float(str(row["saved_at"])),
                )
            )
        return tuple(found)

    def started(self, proposal: Proposal, orchestration: OrchestrationId, at: float) -> None:
        """Keep what an orchestration was started from; a saved one is not waiting any more."""
        number = self.save(proposal, at).saved
        row = {"state": STARTED, "orchestration": orchestration}
        self._db.write(ProposalRow.update(row).where(ProposalRow.id == number))

    def of(self, orchestration: OrchestrationId) -> Proposal | None:
        """Return what an orchestration was started from; None when that is not known."""
        rows = self._rows(ProposalRow.orchestration == orchestration)
        return _read(rows[-1]) if rows else None

    def discard(self, number: ProposalId) -> bool:
        """Let a saved proposal wait no more; return False when none did."""
        is_it = (ProposalRow.id == number) & (ProposalRow.state == SAVED)
        with self._db.transaction():
            if not self._rows(is_it):
                return False
            self._db.write(ProposalRow.update({"state": DISCARDED}).where(is_it))
            return True

    def _rows(self, condition: object) -> builtins.list[dict[str, object]]:
        return self._db.rows(ProposalRow.select().where(condition).order_by(ProposalRow.id))


def _read(row: dict[str, object]) -> Proposal:
    number = ProposalId(int(str(row["id"])))
    try:
        return replace(msgspec.json.decode(str(row["body"]), type=Proposal), saved=number)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"the saved proposal {number} cannot be read",
            cause=f"it was saved by another version of tmorch: {error}",
            remedy="propose it anew",
            code="old-proposal",
        ) from error
