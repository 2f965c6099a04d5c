"""Kinds: what somebody may change in a plan, each a record of ids that a journal keeps."""

from __future__ import annotations

from dataclasses import dataclass

from scolaire.pupils import FULL_DAYS, Level


@dataclass(frozen=True, slots=True)
class MovePupil:
    """A pupil waits at another stop, or goes by another coach.

    In all periods, or those named; by the coach that takes the least detour, or by `run_id` in its own period.
    """

    pupil_id: str
    stop_id: str
    periods: tuple[str, ...] = ()
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class AddPupil:
    """Somebody new: on `days` to school, on `days_back` home again (the same when None)."""

    pupil_id: str
    school_id: str
    stop_id: str
    level: Level
    wheelchair: bool = False
    days: int = FULL_DAYS
    days_back: int | None = None


@dataclass(frozen=True, slots=True)
class RemovePupil:
    """A pupil does not travel any more."""

    pupil_id: str


@dataclass(frozen=True, slots=True)
class AddStop:
    """A new stop whose safety was accepted; nobody waits there yet."""

    stop_id: str
    name: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class MoveStop:
    """A stop stands somewhere else."""

    stop_id: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class CloseStop:
    """Nobody waits at a stop any more: who did waits at `into`, or is named as not served."""

    stop_id: str
    into: str | None = None


@dataclass(frozen=True, slots=True)
class ReorderHalts:
    """The halts of a run in another order: `order[i]` is the place that the i-th one has now."""

    run_id: str
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MoveHalt:
    """Everybody of one stop of a run goes by another run of the same period."""

    run_id: str
    halt: int
    to_run_id: str


@dataclass(frozen=True, slots=True)
class SplitRun:
    """The stops from `halt` on go by a coach of their own, of the same type when None."""

    run_id: str
    halt: int
    type_id: str | None = None


@dataclass(frozen=True, slots=True)
class MergeRuns:
    """Everybody of another run of the same period goes by this one, stop after stop where the detour is least."""

    run_id: str
    other_run_id: str


@dataclass(frozen=True, slots=True)
class ChangeVehicle:
    """Another type of vehicle drives all runs of a circuit."""

    circuit_id: str
    type_id: str


@dataclass(frozen=True, slots=True)
class MoveBell:
    """Other bells of a school; None leaves one as it is."""

    school_id: str
    bell_am_s: int | None = None
    bell_pm_s: int | None = None
    bell_wednesday_s: int | None = None


@dataclass(frozen=True, slots=True)
class LockCircuit:
    """Nobody changes a circuit any more, an optimiser neither; or everybody may again."""

    circuit_id: str
    is_locked: bool = True


@dataclass(frozen=True, slots=True)
class ForbidRoad:
    """No coach drives from one stop or school straight to another; or coaches may again.

    Runs that did halt in another order, when one of their halts has another place that keeps every rule.
    """

    origin_id: str
    target_id: str
    is_forbidden: bool = True


Edit = (
    MovePupil
    | AddPupil
    | RemovePupil
    | AddStop
    | MoveStop
    | CloseStop
    | ReorderHalts
    | MoveHalt
    | SplitRun
    | MergeRuns
    | ChangeVehicle
    | MoveBell
    | LockCircuit
    | ForbidRoad
)
