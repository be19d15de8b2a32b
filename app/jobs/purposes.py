"""The table of job purposes: one row decides what a job does, what it may cost and how it is worded.

The table is filled from above: each feature describes its purposes as rows, and `app.factory` registers
them. The queue itself knows a purpose only by its row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.billing.plans import FREE, PLANS, Plan
from app.jobs.lease import Claim
from app.models import Job, Sample
from app.models.job import READY, STORED
from app.models.webhook_endpoint import JOB_COMPLETED, JOB_FAILED
from app.notify import batch_mail
from app.notify.batch_mail import BatchWording

# What finished steps leave behind, as plain JSON: each step's result under that step's key.
Results = Mapping[str, Any]
ANALYSIS, DESCRIPTION = "analysis", "vibe"  # as they are stored with jobs that have begun
PROGRESS = "progress"  # an early result that a job's card shows: a short sentence, "Pad 3 of 16."
# Where the previous version kept `Job.ai_allowed`. Both places are written and read until the next release.
FORMER_AI_ALLOWED = "wants_model"


@dataclass(frozen=True)
class StepInput:
    """The values a step works with."""

    claim: Claim
    results: Results  # of the steps before it
    folder: Path  # a work folder of this attempt's own
    is_held: Callable[[], bool]  # False as soon as the lease is lost
    report: Callable[[str, Results], None]  # record a stage reached inside the step, with early results
    # Write the results of the steps before this one, if that has not been done. A step that saves when it
    # waits calls it before it waits for anything but the database.
    save: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Stage:
    """A point a job reaches: its name on cards and in the API, and what a card says until then."""

    name: str
    doing: str


@dataclass(frozen=True)
class Step:
    """One piece of work. A retry does not repeat a step whose result is already stored."""

    stages: tuple[Stage, ...]  # the last one is reached when the step is done
    result_key: str
    run: Callable[[StepInput], Any]  # returns the result as plain JSON
    is_wanted: Callable[[Claim], bool] = lambda _: True
    saves_when_waiting: bool = False  # otherwise everything before it is written before it runs

    @property
    def name(self) -> str:
        return self.stages[-1].name


@dataclass(frozen=True)
class DailyLimit:
    """How many jobs a plan allows in 24 hours. Purposes with the same limit are counted together."""

    allowed: Callable[[Plan], int]
    message: str  # filled in with `plan`, `allowed` and `left`
    usage_kind: str = ""  # the ledger's rows of this kind are counted too

    def exceeded_message(self, plan: Plan, left: int) -> str:
        return self.message.format(plan=plan.label, allowed=self.allowed(plan), left=max(left, 0))


@dataclass(frozen=True)
class Wording:
    """The sentences a producer reads about jobs of one purpose."""

    waiting: str  # on the card while the job is unfinished: "To be analysed again"
    completed: str  # "Analysed again"
    unsuccessful: str  # when it failed or was cancelled: "Asked to be analysed again"
    cancelled: str  # a whole sentence
    plural: str  # in "On the Free plan, analyses wait"
    file_refused: str  # what follows the reason why the file can't be used; may be empty
    tries_used_up: str  # what follows the reason why the last try failed
    file_unavailable: str  # what follows "We couldn't get the file back from our storage."
    mail: BatchWording | None  # None where no mail is sent


@dataclass(frozen=True)
class Purpose:
    """One row of the table."""

    name: str  # as the database, the API and webhooks spell it; at most 12 characters
    steps: tuple[Step, ...]
    # Apply the results in the completing transaction; return the sample the job made or is about, if any.
    # Raises SampleGoneError when that sample was deleted.
    finish: Callable[[Job, Results], Sample | None]
    wording: Wording
    is_about_sample: bool = False  # it works on a sample that exists, and owns no object of the store
    renders_wav: bool = False  # its result includes the unit's WAV
    shows_file_size: bool = False
    has_uploaded_file: bool = False  # its file is there before it runs, and can be played at once
    shows_description: bool = False  # a finished card quotes the description, not tempo and key
    charges_upload: bool = False
    is_delayed_on_free: bool = False
    completed_event: str = JOB_COMPLETED  # the webhook at its end
    failed_event: str = JOB_FAILED
    result_label: str = ""  # of the link on a finished card to what it made, other than a sample
    result_address: Callable[[Job], str] = lambda _: ""
    # Return the results with what is too large for the job's row. Nothing of it is kept.
    gather: Callable[[StepInput], Results] = lambda work: work.results
    fed_batch: Callable[[str], str] | None = None  # the batch that a job adds jobs to, by the job's own id
    stores_ahead: bool = False  # it puts files of samples into the store that no row names before its end
    is_preview: bool = False  # somebody waits for it at the screen: it has no card and sends no webhook
    priority_offset: int = 0  # added to the plan's priority: above 0, it lets other jobs of its tier go first
    daily_limit: DailyLimit | None = None
    last_stage: Stage = field(default=Stage(READY, "Adding it to your library."))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Return what is reached after the job was stored, in order."""
        return (*(stage for step in self.steps for stage in step.stages), self.last_stage)

    @property
    def stage_names(self) -> tuple[str, ...]:
        return (STORED, *(stage.name for stage in self.stages))

    def next_stage(self, reached: str) -> Stage:
        """Return the stage a job works towards after the one it has reached."""
        place = self.stage_names.index(reached) if reached in self.stage_names else 0
        return self.stages[min(place, len(self.stages) - 1)]


OF_A_NEWER_VERSION = Purpose(
    name="",
    steps=(),
    finish=lambda *_: None,
    wording=Wording(
        waiting="Waiting",
        completed="Done",
        unsuccessful="Asked for",
        cancelled="Cancelled.",
        plural="jobs",
        file_refused="",
        tries_used_up="Try again, now or later.",
        file_unavailable="Try again.",
        mail=None,
    ),
    is_about_sample=True,
)
_rows: dict[str, Purpose] = {}


def register(*rows: Purpose) -> None:
    """Add rows to the table; a row of the same name is replaced."""
    for row in rows:
        _rows[row.name] = row
        if row.wording.mail is not None:
            batch_mail.WORDING_BY_PURPOSE[row.name] = row.wording.mail


def find_purpose(name: str) -> Purpose:
    """Return the row of a purpose; one that only a newer version knows has plain words."""
    return _rows.get(name) or replace(OF_A_NEWER_VERSION, name=name)


def feeding_batches() -> dict[str, Callable[[str], str]]:
    """Return the purposes whose jobs add others to a batch, with what tells which batch."""
    return {row.name: row.fed_batch for row in _rows.values() if row.fed_batch is not None}


def storing_ahead() -> list[str]:
    """Return the names of the purposes that store files of samples before there are rows."""
    return [row.name for row in _rows.values() if row.stores_ahead]


def preview_names() -> list[str]:
    """Return the names of the purposes that are previews."""
    return [row.name for row in _rows.values() if row.is_preview]


def known_purposes() -> list[str]:
    """Return the name of every registered purpose."""
    return list(_rows)


def sharing_limit(limit: DailyLimit) -> list[str]:
    """Return the names of the purposes that are counted together under this limit."""
    return [row.name for row in _rows.values() if row.daily_limit == limit]


def priority_for(plan: Plan, purpose: Purpose) -> int:
    """Return the priority of a user's jobs of a purpose; a lower figure runs first."""
    return plan.priority + purpose.priority_offset


def priority_offsets() -> dict[str, int]:
    """Return the offset of each purpose that has one."""
    return {row.name: row.priority_offset for row in _rows.values() if row.priority_offset}


def first_free_priority() -> int:
    """Return the priority from which jobs are of the Free plan; those of paid plans are below."""
    return FREE.priority + min({0, *priority_offsets().values()})


def all_priorities() -> list[int]:
    """Return every priority a job may have, first to run first."""
    offsets = {0, *priority_offsets().values()}
    return sorted({plan.priority + offset for plan in PLANS.values() for offset in offsets})
