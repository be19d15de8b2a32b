"""Find the group that a sample belongs to.

The same audio, bit by bit, is one recording for certain. A near sample is confirmed by comparing both sounds,
and always with the anchor of a group: so a chain of near sounds does not grow into a group of different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.billing import quota
from app.deduplication import groups
from app.deduplication.copies import load_files
from app.deduplication.groups import GroupState
from app.deduplication.quality import Copy, choose_best
from app.models import Sample, SampleVector
from app.models.base import transaction

MAX_CONFIRMATIONS = 12  # of one sample
MAX_COMPARED_S = 60  # of longer sounds only those with the same audio are the same
MAX_TRIES = 3
MAX_TWINS = 200


@dataclass(frozen=True)
class Found:
    """A sample that was confirmed, and the group that it stands for if it has one."""

    sample_id: str
    state: GroupState | None

    @property
    def is_told_apart(self) -> bool:
        return self.state is not None and self.state.told_apart is not None


@dataclass(frozen=True)
class Join:
    """Which samples and groups become one group, and under which anchor."""

    anchor_id: str
    sample_ids: Sequence[str]
    group_ids: Sequence[str]


class Comparison:
    """The comparison of one sample with those it may be a copy of, nearest first.

    `is_same` compares the sounds of two WAVs by their keys in the store. At most `MAX_CONFIRMATIONS` pairs
    are compared.
    """

    def __init__(
        self, user_id: str, sample_id: str, near: Sequence[str], is_same: Callable[[str, str], bool]
    ) -> None:
        self.user_id = user_id
        self.sample_id = sample_id
        self._near = near
        self._is_same = is_same
        self._files: dict[str, tuple[Copy, str]] = {}
        self._confirmed: dict[str, bool] = {}  # by the id of the other sample
        self._left = MAX_CONFIRMATIONS

    def run(self) -> bool:
        """Put the sample into its group, if it has one; return False if groups changed too often meanwhile.

        Raises StorageError when a sound can't be read now.
        """
        if self._join_twins():
            return True
        for _ in range(MAX_TRIES):
            ids = [self.sample_id, *self._near]
            states = groups.read_states(ids)
            self._files |= load_files(self.user_id, ids)
            if self.sample_id not in self._files:
                return True  # it is gone for good
            join = self._find_join(states)
            if join is None or self._carry_out(join, ids, states):
                return True
        return False

    def _join_twins(self) -> bool:
        """Join those with the same audio; return whether one of them has been compared with all others."""
        with transaction() as session:
            if not quota.lock_account(self.user_id):
                return True
            sha256 = select(SampleVector.audio_sha256).where(SampleVector.sample_id == self.sample_id)
            rows = select(SampleVector.sample_id, SampleVector.compare_at).where(
                SampleVector.user_id == self.user_id,
                SampleVector.audio_sha256 == sha256.scalar_subquery(),
                SampleVector.sample_id != self.sample_id,
            )
            twins = dict(session.execute(rows.order_by(SampleVector.sample_id).limit(MAX_TWINS)).all())
            every_id = [self.sample_id, *twins]
            states = groups.read_states(every_id)
            alone = [each for each in every_id if each not in states]
            if twins and alone:
                home = next((states[each] for each in every_id if each in states), None)
                anchor_id = home.anchor_id if home is not None else min(twins)
                groups.join_group(self.user_id, anchor_id, alone, [home.group_id] if home is not None else [])
        return any(due is None for due in twins.values())

    def _find_join(self, states: dict[str, GroupState]) -> Join | None:
        own = states.get(self.sample_id)
        found = [each for each in self._representatives(states) if self._confirm(each.sample_id)]
        if not found:
            return None
        if own is not None:
            found.insert(0, Found(own.anchor_id, own))
        first, *rest = found
        if own is None and not rest and not self._is_better_than(first.sample_id):
            return self._join(first.sample_id, own, [first])
        # With several of them, only this sample is known to be the same as each; so it becomes the anchor.
        taken = [each for each in found if self._is_same_as_all(each)]
        if own is not None and (first not in taken or len(taken) == 1):
            return None
        if first not in taken:
            return self._join(first.sample_id, own, [first])
        rest = [each for each in taken[1:] if not each.is_told_apart]
        return self._join(self.sample_id, own, [first, *rest])

    def _representatives(self, states: dict[str, GroupState]) -> Iterator[Found]:
        """Yield those to compare with: of each group only its anchor, and no group that may not be joined."""
        own = states.get(self.sample_id)
        seen = {own.group_id} if own is not None else set()
        for sample_id in self._near:
            state = states.get(sample_id)
            if state is None and sample_id in self._files:
                yield Found(sample_id, None)
            if state is None or state.group_id in seen:
                continue
            seen.add(state.group_id)
            if own is None or not (state.told_apart or own.told_apart):
                yield Found(state.anchor_id, state)

    def _confirm(self, other_id: str) -> bool:
        """Return whether another sample is the same recording; False once too many were compared."""
        if other_id not in self._confirmed:
            if other_id not in self._files:
                self._files |= load_files(self.user_id, [other_id])
            if other_id not in self._files or not self._left:
                return False
            self._confirmed[other_id] = self._compare(other_id)
        return self._confirmed[other_id]

    def _compare(self, other_id: str) -> bool:
        (copy, key), (other, other_key) = self._files[self.sample_id], self._files[other_id]
        if copy.has_audio_of(other):
            return True
        for each, is_same in self._confirmed.items():
            if each in self._files and self._files[each][0].has_audio_of(other):
                return is_same
        if max(copy.duration_s, other.duration_s) > MAX_COMPARED_S:
            return False
        self._left -= 1
        return self._is_same(key, other_key)

    def _is_better_than(self, other_id: str) -> bool:
        copies = [self._files[self.sample_id][0], self._files[other_id][0]]
        return choose_best(copies).sample_id == self.sample_id

    def _is_same_as_all(self, found: Found) -> bool:
        """Return whether this sample is the same recording as every member of a group."""
        if found.state is None:
            return True
        members = [each for each in groups.member_ids(found.state.group_id) if each != self.sample_id]
        self._files |= load_files(self.user_id, [each for each in members if each not in self._files])
        return all(map(self._confirm, members))

    def _join(self, anchor_id: str, own: GroupState | None, parts: Sequence[Found]) -> Join:
        new = [self.sample_id] if own is None else []
        new += [each.sample_id for each in parts if each.state is None]
        return Join(anchor_id, new, [each.state.group_id for each in parts if each.state is not None])

    def _carry_out(self, join: Join, ids: Sequence[str], states: dict[str, GroupState]) -> bool:
        """Write a join, unless a group has changed or a sample has gone since it was made."""
        with transaction() as session:
            if not quota.lock_account(self.user_id):
                return True
            there = set(session.scalars(select(Sample.id).where(Sample.id.in_(join.sample_ids))))
            if there != set(join.sample_ids) or groups.read_states(ids) != states:
                for gone in set(join.sample_ids) - there:
                    del self._files[gone]
                return False
            groups.join_group(self.user_id, join.anchor_id, join.sample_ids, join.group_ids)
        return True
