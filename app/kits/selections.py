"""Make a kit from chosen samples: in their order, or where the names of their files say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from app.kits.kit_list import create_kit, next_name
from app.kits.kit_state import KitState
from app.kits.pad_edits import pad_for_sample
from app.models import Kit, Sample, User
from app.sp404.pads import lay_out

MAX_CHOSEN = 1_000  # those beyond the 160 pads are counted, and named as left out


class KitSelection(NamedTuple):
    """Samples for a kit in their order, and how many were chosen: more than the pads it has, perhaps."""

    samples: list[Sample]
    total: int
    is_more: bool = False  # more were chosen than `total`


class KitOfSamples(NamedTuple):
    """A new kit, and how many of the samples found no pad."""

    kit: Kit
    left_out: int


def kit_from_samples(user: User, base: KitState, samples: Sequence[Sample]) -> KitOfSamples:
    """Create a kit like `base`, with the user's samples on its pads. Raises TooManyKitsError.

    It gets the next free name. A file name that begins with a pad, such as `C05 snare.wav`, goes there; the
    others follow in their order.
    """
    pads = lay_out([sample.filename for sample in samples])
    held = {pads[place]: pad_for_sample(sample) for place, sample in enumerate(samples) if place in pads}
    kit = create_kit(user, replace(base, name=next_name(user, base.name)).with_pads(held))
    return KitOfSamples(kit, len(samples) - len(held))
