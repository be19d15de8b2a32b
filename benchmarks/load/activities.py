"""What a producer who works with the product does in an hour. Written down as an assumption, not measured."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_S = 3600.0
FOLDER_FILES = 12  # sounds in an uploaded folder
FILE_S, FILE_RATE = (0.4, 2.0), 44_100  # their lengths in seconds, and their sample rate
WATCH_S = 120.0  # how long somebody watches job cards or a card being made before doing something else


@dataclass(frozen=True)
class Activity:
    """Something a producer does, as a method of the simulated producers, and how often in an hour of work."""

    name: str
    an_hour: float
    words: str
    requests: float = 1  # that it makes

    @property
    def weight(self) -> int:
        """How often it is chosen, as a whole number: twice the times an hour."""
        return round(2 * self.an_hour)


ACTIVITIES = (
    Activity(
        "poll_library", 600, "the open library asks every 4 s what is new; it is open 40 minutes of the hour"
    ),
    Activity("audition", 120, "play a sound: its waveform, its link, and the sound with a range", 3),
    Activity("search", 60, "search by a sentence"),
    Activity("scroll", 30, "scroll to the next 50 rows"),
    Activity("seek", 30, "jump in a sound that plays: another range of it", 2),
    Activity("open_library", 20, "open the library as a page"),
    Activity("open_sample", 15, "open a sound's page"),
    Activity("like", 15, "like a sound"),
    Activity("open_dashboard", 5, "open the dashboard"),
    Activity("fill_kit", 2, "fill a bank of a kit by a sentence", 3),
    Activity("upload_folder", 1, f"upload a folder of {FOLDER_FILES} sounds and watch the job cards", 58),
    Activity("export_card", 0.5, "have a card made of a kit, watch it and download it", 8),
)
THINK_S = HOUR_S / sum(each.an_hour for each in ACTIVITIES)  # mean time between two of them
REQUEST_THINK_S = HOUR_S / sum(each.an_hour * each.requests for each in ACTIVITIES)  # between two requests

SENTENCES = (
    "dusty kick", "warm pad in A minor", "boom bap drums around 90", "short bright hat", "deep bass",
    "vinyl loop between 80 and 95 bpm", "snare", "dark texture", "crunchy clap", "keys in C minor",
    "no vocals", "liked one-shots", "funky break", "long soft pad", "tape loop 120 bpm",
)  # fmt: skip
KIT_SENTENCES = ("dusty boom bap kit around 90 in A minor", "dark trap kit 140", "warm lo-fi kit 80")
