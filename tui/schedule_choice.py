"""Which moment of a schedule the person has selected, and what they want to be moved. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.models.check_in import CheckIn
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.timeline import Lane, Tick, TickKind
from tui.timeline_plan import LanePlan
from tui.wording import MINUTE_S

AHEAD = (TickKind.DUE, TickKind.OVERDUE, TickKind.DEAD)
"""What a check-in has one tick of at most, which goes with it when it is moved."""


class Spot(Struct, frozen=True):
    """A moment by what it is about: it is found again when it was read anew."""

    check_in: CheckInId | None
    kind: TickKind
    at: float


def spot_of(tick: Tick) -> Spot:
    """Return where a tick is to be found again."""
    return Spot(tick.check_in, tick.kind, tick.at)


def found_again(spot: Spot | None, ticks: Sequence[Tick]) -> Tick | None:
    """Return the tick that is, or has become, what was selected: of the same check-in and nearest in time.

    One of another kind counts as a minute further away: what was due is now what fired, not what is due next.
    """
    own = [tick for tick in ticks if spot is not None and tick.check_in == spot.check_in]
    if spot is None or not own:
        return None
    return min(own, key=lambda tick: abs(tick.at - spot.at) + (tick.kind is not spot.kind) * MINUTE_S)


def in_order(lane: Lane, planned: LanePlan) -> tuple[Tick, ...]:
    """Return a lane's ticks as they stand from left to right: first what has a place of its own."""
    apart = planned.late.ticks if planned.late else ()
    return (*apart, *(tick for tick in lane.ticks if tick not in apart))


def in_view(planned: LanePlan) -> tuple[Tick, ...]:
    """Return the ticks that are on the screen, from left to right."""
    return tuple(tick for stop in planned.stops for tick in stop.ticks)


def cell_of(tick: Tick | None, planned: LanePlan) -> int | None:
    """Return the cell in which a tick stands; None when it is not in view."""
    return next((stop.cell for stop in planned.stops if tick in stop.ticks), None)


def beside(tick: Tick | None, lane: Lane, planned: LanePlan, steps: int) -> Tick | None:
    """Return the tick so many steps from the selected one; when that is out of view, the first or last in view.

    None when there is none: there may be one in the time beyond.
    """
    view = in_view(planned)
    if tick is None or tick not in view:
        return (view[0] if steps > 0 else view[-1]) if view else None
    ordered = in_order(lane, planned)
    at = ordered.index(tick) + steps
    return ordered[at] if 0 <= at < len(ordered) else None


def nearest(lane: Lane, at: float) -> Tick | None:
    """Return a lane's tick that is nearest in time; of what is ahead rather than of what was."""
    return min(lane.ticks, key=lambda tick: (tick.at < at, abs(tick.at - at)), default=None)


def with_wishes(
    lanes: Sequence[Lane], wishes: Mapping[CheckInId, float], check_ins: Mapping[CheckInId, CheckIn]
) -> tuple[Lane, ...]:
    """Return the lanes with check-ins where the person wants them to be."""
    return tuple(_with_wishes(lane, wishes, check_ins) for lane in lanes) if wishes else tuple(lanes)


def _with_wishes(lane: Lane, wishes: Mapping[CheckInId, float], check_ins: Mapping[CheckInId, CheckIn]) -> Lane:
    own = {number: to for number, to in wishes.items() if number in check_ins}
    moved = [(check_ins[number], to) for number, to in own.items() if check_ins[number].target == lane.agent]
    if not moved:
        return lane
    kept = [tick for tick in lane.ticks if tick.check_in not in own or tick.kind not in AHEAD]
    put = [Tick(at=to, kind=TickKind.DUE, check_in=one.id, note=one.note) for one, to in moved]
    return replace(lane, ticks=tuple(sorted([*kept, *put], key=lambda tick: tick.at)))


def lane_at(lanes: Sequence[Lane], agent: AgentId | None) -> int | None:
    """Return which lane is an agent's."""
    return next((i for i, lane in enumerate(lanes) if lane.agent == agent), None)
