"""ZIPs of sounds: what is unsafe is refused in a sentence, and one odd file never costs the others."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.models.display_names import file_name
from app.sp404.errors import UnitFileError
from app.sp404.importing.sound_unpacking import unpack_sounds
from app.sp404.importing.sound_zip import ZipContents, read_sound_zip, refusal_of
from tests.sp404.project.test_zip_checks import entry

Entries = Iterable[tuple[str | zipfile.ZipInfo, bytes]]


def written(folder: Path, entries: Entries) -> Path:
    source = folder / "sent"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of two files of one name
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in entries:
                archive.writestr(name, data)
    return source


def found(folder: Path, *names: str | zipfile.ZipInfo) -> ZipContents:
    return read_sound_zip(written(folder, [(name, b"x") for name in names]))


def paths(contents: ZipContents) -> list[str]:
    return [sound.path for sound in contents.sounds]


def test_side_files_are_counted_and_folders_are_kept(tmp_path: Path) -> None:
    hidden = ("Pack/.DS_Store", "__MACOSX/Pack/._kick.wav", "Pack/Thumbs.db", "Pack/.git/kick.wav")
    beside = ("Pack/kick.wav.asd", "Pack/kick.wav.reapeaks", "Pack/read me.txt", "Pack/LICENSE")
    sounds = ("Pack/Drums/Kicks/kick.WAV", "Pack/Drums/./snare.flac", "Pack//loop.mp3")
    contents = found(tmp_path, *hidden, *beside, *sounds)
    assert contents.side_files == "8 files left out: 4 are not audio, 4 are hidden."
    assert (contents.top_folder, contents.problems) == ("Pack", [])
    assert [(sound.folder, sound.name) for sound in contents.sounds] == [
        ("Drums/Kicks", "kick.WAV"),
        ("Drums", "snare.flac"),
        ("", "loop.mp3"),
    ]
    assert found(tmp_path, "a/kick.wav", "b/kick.wav").top_folder == ""
    assert found(tmp_path, "a/kick.wav", "kick.wav", "x.txt").side_files == "1 file left out: 1 is not audio."


@pytest.mark.parametrize(
    ("odd", "sentence"),
    [
        ("../../etc/kick.wav", "Its path leads outside of the ZIP."),
        ("/etc/kick.wav", "Its path leads outside of the ZIP."),
        ("..\\kick.wav", "Its path leads outside of the ZIP."),
        ("C:\\kick.wav", "Its path leads outside of the ZIP."),
        (entry("link.wav", stat.S_IFLNK | 0o777), "It is a link or a special file."),
        (entry("pipe.wav", stat.S_IFIFO | 0o777), "It is a link or a special file."),
        ("more.ZIP", "It is a ZIP inside the ZIP. Unpack it and send it by itself."),
    ],
)
def test_an_odd_file_is_named_and_the_others_are_taken(
    tmp_path: Path, odd: str | zipfile.ZipInfo, sentence: str
) -> None:
    contents = found(tmp_path, odd, "Kicks/good.wav")
    name = (odd if isinstance(odd, str) else odd.filename).replace("\\", "/")
    assert contents.problems == [f"{name}: {sentence}"]
    assert [sound.name for sound in contents.sounds] == ["good.wav"]
    alone = found(tmp_path, odd)
    assert refusal_of(alone) == f"There is no sound in this ZIP. {name}: {sentence}"


def test_names_of_any_kind_and_twice_are_all_taken(tmp_path: Path) -> None:
    long = "x" * 300 + ".wav"
    names = [
        "Cafe\u0301 🥁.wav",
        long,
        "kick.wav",
        "kick.wav",
        "KICK.wav",
        "d/" * 40 + "deep.wav",
        "win\\tick.wav",
    ]
    source = written(tmp_path, [(name, bytes([number])) for number, name in enumerate(names)])
    contents = read_sound_zip(source)
    assert paths(contents) == [name.replace("\\", "/") for name in names]
    assert file_name(contents.sounds[0].name) == "Café 🥁.wav"
    assert len(file_name(contents.sounds[1].name)) == 200
    assert unpack_sounds(source, range(len(names)), tmp_path) == {}
    assert [(tmp_path / str(number)).read_bytes() for number in range(len(names))] == [
        bytes([number]) for number in range(len(names))
    ]


def test_names_without_a_mark_are_utf8_as_macos_writes_them_or_of_dos(tmp_path: Path) -> None:
    for raw, shown in (("Café".encode(), "Café"), ("Café".encode("cp437"), "Café")):
        source = written(tmp_path, [("X" * len(raw) + ".wav", b"x")])
        source.write_bytes(source.read_bytes().replace(b"X" * len(raw), raw))
        contents = read_sound_zip(source)
        assert paths(contents) == [f"{shown}.wav"]
        assert unpack_sounds(source, [0], tmp_path) == {}


def test_a_locked_zip_gets_a_sentence_and_an_open_sound_in_it_is_taken(tmp_path: Path) -> None:
    source = written(tmp_path, [("open.wav", b"x"), ("locked.wav", b"x")])
    data = bytearray(source.read_bytes())
    data[data.rindex(b"PK\1\2") + 8] |= 1
    source.write_bytes(data)
    contents = read_sound_zip(source)
    assert paths(contents) == ["open.wav"]
    assert contents.problems == ["locked.wav: It is locked by a password. Make a ZIP without a password."]
    data[data.index(b"PK\1\2") + 8] |= 1
    source.write_bytes(data)
    assert (
        refusal_of(read_sound_zip(source)) == "The ZIP is locked by a password. Make one without a password."
    )


def test_a_bomb_is_refused_and_some_silence_is_not(tmp_path: Path) -> None:
    with pytest.raises(UnitFileError, match="more than 200 times as large as the ZIP"):
        read_sound_zip(written(tmp_path, [("kick.wav", bytes(100 << 20))]))
    assert read_sound_zip(written(tmp_path, [("kick.wav", bytes(20 << 20))])).size_bytes == 20 << 20
    source = written(tmp_path, [("kick.wav", b"x")])
    data = bytearray(source.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\1\2") + 24, 0xF0000000)
    source.write_bytes(data)
    with pytest.raises(UnitFileError, match="more than 200 times"):
        read_sound_zip(source)


def test_a_hundred_thousand_entries_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    one = written(tmp_path, [("a.wav", b"")]).read_bytes()
    listed = one[one.index(b"PK\1\2") : one.rindex(b"PK\5\6")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(listed) * 100_000, 0, 0)
    many = tmp_path / "many"
    many.write_bytes(one[: one.index(b"PK\1\2")] + listed * 100_000 + end)
    with pytest.raises(UnitFileError, match="too many files: 20,000 are read"):
        read_sound_zip(many)


def test_damage_costs_only_the_file_that_it_hits(tmp_path: Path) -> None:
    source = written(tmp_path, [("first.wav", bytes(range(200))), ("second.wav", b"good")])
    data = bytearray(source.read_bytes())
    data[data.index(b"first.wav") + 12] ^= 0xFF
    source.write_bytes(data)
    assert unpack_sounds(source, [0, 1], tmp_path) == {
        "0": "It can't be read, because the ZIP is damaged there."
    }
    assert (tmp_path / "1").read_bytes() == b"good"
    assert not (tmp_path / "0").exists()
    for broken in (b"RIFF", io.BytesIO().getvalue(), bytes(data[:-9])):
        source.write_bytes(broken)
        with pytest.raises(UnitFileError, match=r"not a ZIP, or it is damaged|cut off"):
            read_sound_zip(source)


def test_a_project_of_the_unit_is_recognised(tmp_path: Path) -> None:
    contents = found(tmp_path, "P1/PADCONF.BIN", "P1/SMPL/BANK1-01.SMP")
    assert (contents.projects, contents.sounds) == (1, [])
