"""Layouts of a bank by name: which classes of sound may fill each pad, and how the pad is set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.music.sound_classes import HI_HAT, LOOP, ONE_SHOT, TEXTURE, sound_label
from app.sp404.fresh_pad import HAT_GROUP
from app.sp404.unit_limits import PADS_IN_BANK

CHOP_GROUP = 2
"""Mute group B: the chops of one loop cut one another, and the hats of mute group A stay as they are."""
ROW = 4


@dataclass(frozen=True, slots=True)
class WantedClass:
    """A class that may fill a pad: one of `KINDS`, and a class of that kind; empty for a texture."""

    kind: str
    sound: str = ""

    @property
    def label(self) -> str:
        """What a producer calls it: "open hat", "bass loop"."""
        return sound_label(self.kind, self.sound or None)


@dataclass(frozen=True, slots=True)
class PadRole:
    """What a layout wants on a pad.

    Attributes
    ----------
    title : str
        "kick", "low tom".
    classes : tuple of WantedClass
        In order of preference; a later one is for libraries that lack the earlier ones.
    settings : mapping of str to value
        Beyond those that suit the sound by itself, by the names of `PadSettings`.
    pitch_rank : int
        The place of the pad among those of its class, from the darkest sound to the brightest; 0 for any.
    is_in_key : bool
        Whether only sounds that share the key of the bank may go there, moved by 2 semitones at most.
    """

    title: str
    classes: tuple[WantedClass, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    pitch_rank: int = 0
    is_in_key: bool = False


@dataclass(frozen=True, slots=True)
class BankLayout:
    """A plan of a bank.

    Attributes
    ----------
    slug, name : str
        For addresses and scripts, and for people.
    words : tuple of str
        Words of a sentence that ask for it.
    about : str
        A sentence for the page.
    roles : mapping of int to PadRole
        By the number of the pad, 1 to 16; pads without one stay as they are.
    is_chopped : bool
        Whether one loop is cut over all pads; it is the one that the role of pad 1 asks for.
    """

    slug: str
    name: str
    words: tuple[str, ...]
    about: str
    roles: Mapping[int, PadRole]
    is_chopped: bool = False


def find_layout(slug: str) -> BankLayout | None:
    """Return the layout with this slug, None where there is none.

    Parameters
    ----------
    slug : str
    """
    return LAYOUTS.get(slug)


def layout_in_sentence(sentence: str) -> tuple[BankLayout | None, str]:
    """Return the layout that a sentence names, and the sentence without those words.

    Parameters
    ----------
    sentence : str
        Such as "dusty boom bap kit around 90". The longest words count; "kit" and "bank" are left out too.
    """
    spelled = [(words, layout) for layout in LAYOUTS.values() for words in layout.words]
    rest, found = sentence, None
    for words, layout in sorted(spelled, key=lambda pair: -len(pair[0])):
        pattern = r"(?<!\w)" + r"[\s-]*".join(map(re.escape, words.split())) + r"s?(?!\w)"
        without = re.sub(pattern, " ", sentence, count=1, flags=re.I)
        if without != sentence:
            rest, found = without, layout
            break
    rest = re.sub(r"(?<!\w)(?:drum[\s-]*)?(?:kit|bank)s?(?!\w)", " ", rest, flags=re.I)
    return found, " ".join(rest.split())


def _hits(title: str, *sounds: str, rank: int = 0) -> PadRole:
    return PadRole(title, tuple(WantedClass(ONE_SHOT, sound) for sound in sounds), pitch_rank=rank)


def _hat(title: str, *sounds: str) -> PadRole:
    classes = tuple(WantedClass(ONE_SHOT, sound) for sound in sounds)
    return PadRole(title, classes, {"mute_group": HAT_GROUP})


def _loops(title: str, *sounds: str, in_key: bool = False) -> PadRole:
    return PadRole(title, tuple(WantedClass(LOOP, sound) for sound in sounds), is_in_key=in_key)


def _bottom_up(roles: Mapping[int, PadRole]) -> dict[int, PadRole]:
    """Return a plan with its rows turned over, as on machines that count from the bottom left."""
    last = PADS_IN_BANK - ROW
    return {last - (number - 1) // ROW * ROW + (number - 1) % ROW + 1: role for number, role in roles.items()}


CLOSED_HAT = _hat("closed hat", "closed hat", HI_HAT)
OPEN_HAT = _hat("open hat", "open hat")
EFFECT = _hits("effect", "fx")
BEAT = {
    1: _hits("kick", "kick"),
    2: _hits("snare", "snare"),
    3: CLOSED_HAT,
    4: OPEN_HAT,
    5: _hits("second kick", "kick"),
    6: _hits("second snare", "snare", "rim", "clap"),
    7: _hits("cymbal", "cymbal"),
    8: _hits("shaker", "shaker", "percussion"),
    9: _loops("drum loop", "drums"),
    10: _loops("chord loop", "chords", "melody"),
    11: _loops("melody loop", "melody", "chords"),
    12: _loops("top loop", "percussion"),
    13: PadRole("bass", (WantedClass(ONE_SHOT, "bass"), WantedClass(LOOP, "bass"))),
    14: _hits("voice", "vocal-like"),
    15: EFFECT,
    16: PadRole("texture or effect", (WantedClass(TEXTURE), WantedClass(ONE_SHOT, "fx"))),
}
GM_DRUMS = {
    13: _hits("kick (note 36)", "kick"),
    14: _hits("rim (37)", "rim"),
    15: _hits("snare (38)", "snare"),
    16: _hits("clap (39)", "clap"),
    9: _hits("second snare (40)", "snare", "rim"),
    10: _hits("low floor tom (41)", "tom", rank=1),
    11: _hat("closed hat (42)", "closed hat", HI_HAT),
    12: _hits("high floor tom (43)", "tom", rank=2),
    5: _hat("pedal hat (44)", "closed hat", HI_HAT),
    6: _hits("low tom (45)", "tom", rank=3),
    7: _hat("open hat (46)", "open hat"),
    8: _hits("low-mid tom (47)", "tom", rank=4),
    1: _hits("high-mid tom (48)", "tom", rank=5),
    2: _hits("crash (49)", "cymbal"),
    3: _hits("high tom (50)", "tom", rank=6),
    4: _hits("ride (51)", "cymbal"),
}
LOOPS_IN_KEY = {
    **{number: _loops("drum loop", "drums") for number in (1, 2, 3)},
    4: _loops("top loop", "percussion", "drums"),
    **{number: _loops("bass loop", "bass", in_key=True) for number in (5, 6, 7, 8)},
    **{number: _loops("chord loop", "chords", in_key=True) for number in (9, 10, 11, 12)},
    **{number: _loops("melody loop", "melody", in_key=True) for number in (13, 14, 15, 16)},
}
CHOP_SETTINGS = {"gate": True, "loop": False, "bpm_sync": False, "mute_group": CHOP_GROUP}
CHOP = PadRole("chop", (WantedClass(LOOP, "drums"),), CHOP_SETTINGS)
BREAK = dict.fromkeys(range(1, PADS_IN_BANK + 1), CHOP)

LAYOUTS: Mapping[str, BankLayout] = MappingProxyType(
    {
        layout.slug: layout
        for layout in (
            BankLayout(
                "boom-bap", "Boom bap", ("boom bap", "boombap"),
                "Hits at the top from pad 1, loops in the third row, bass, voice and effects below.", BEAT,
            ),
            BankLayout(
                "mpc", "MPC", ("mpc",),
                "The same sounds from the bottom left, as an MPC counts its pads.", _bottom_up(BEAT),
            ),
            BankLayout(
                "gm-drums", "GM drums", ("gm drum", "general midi", "gm"),
                "Drums at their General MIDI notes, 36 at the bottom left: any drum MIDI file plays them.",
                GM_DRUMS,
            ),
            BankLayout(
                "breaks", "Breaks", ("break", "breakbeat", "chopped break", "chop"),
                "One drum loop cut at its hits over all sixteen pads.", BREAK, is_chopped=True,
            ),
            BankLayout(
                "loops-in-key", "Loops in key", ("loop in key", "loops in key", "loop kit", "loop bank"),
                "Drum, bass, chord and melody loops that share a key and follow the tempo.", LOOPS_IN_KEY,
            ),
        )
    }
)  # fmt: skip
"""By their slugs, in the order of the page."""
DEFAULT_LAYOUT = LAYOUTS["boom-bap"]
