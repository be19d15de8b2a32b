"""The blueprint of the pages about cards, and the name and description of each target."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("cards", __name__)

CANNOT_BE_RETRIED = "This card can't be tried again. Make it again on the kit's card page."
STRAIGHT_BYTES = 64 << 20
"""A card up to this size is downloaded as soon as it is ready: sixteen stereo loops of twenty seconds."""
TARGET_WORDS = {
    "mk2": (
        "SP-404MKII project (beta)",
        "Pads with all settings, chops and patterns. Not proven on the hardware.",
    ),
    "import": ("SP-404MKII import folder", "WAVs, a folder for each bank. You set the pads on the unit."),
    "sx": ("SP-404SX / SP-404A card", "44.1 kHz, 12 pads a bank. The SP-404MKII imports it too."),
    "wav": ("WAVs and kit.json", "The whole kit with its sounds, to share."),
    "sfz": ("SFZ", "For software samplers, with mute groups."),
    "xpm": ("MPC program", "For MPC 2.x: pads from the bottom left, mute groups."),
    "midi": ("MIDI files", "The kit's patterns, also as the unit's own files."),
}


def target_names() -> dict[str, str]:
    """Return the name of each target."""
    return {target: words[0] for target, words in TARGET_WORDS.items()}
