"""Samples are added to kits from elsewhere, and two windows never overwrite each other."""

from __future__ import annotations

import re

from app.kits import history, kit_list, pad_edits
from app.library import trash
from app.models import Kit, Sample, User
from app.models.base import transaction
from app.search.indexing import follow_changes
from app.sp404.pads import PAD_NAMES
from tests.kits.stock import held_ids, post_pad, some_samples
from tests.support import Browser

HTMX = {"HX-Request": "true"}


class TestTwoWindows:
    def test_a_stale_page_is_told_and_overwrites_nothing(
        self, as_owner: Browser, kit: Kit, samples: list[Sample]
    ) -> None:
        seen = kit.revision
        assert post_pad(as_owner, kit, "/place", sample=samples[1].id).status_code == 303
        late = as_owner.post(f"/kits/{kit.id}/pads/A1/place", revision=seen, sample=samples[2].id)
        assert late.status_code == 409
        assert "changed in another window" in late.text
        assert "Sound 2" in late.text, "the page shows the kit as it is now"
        assert held_ids(kit) == {"A1": samples[1].id}
        fragment = as_owner.post(f"/kits/{kit.id}/undo", HTMX, revision=seen)
        assert (fragment.status_code, 'role="alert"' in fragment.text) == (409, True)

    def test_every_change_of_a_page_names_its_revision(self, as_owner: Browser, kit: Kit) -> None:
        for end in ("", "/undo", "/redo", "/banks/A", "/banks/A/copy", "/pads/A1", "/pads/A1/clear"):
            form = {
                "name": "a",
                "tempo": "90",
                "tempo_source": "bank",
                "bank-tempo": "90",
                "bank-volume": "1",
            }
            answer = as_owner.post(f"/kits/{kit.id}{end}", to="B", **form)
            assert answer.status_code == 400, end
            assert as_owner.post(f"/kits/{kit.id}{end}", revision=0, to="B", **form).status_code == 409, end

    def test_a_chosen_pad_that_was_filled_meanwhile_is_not_overwritten(
        self, as_owner: Browser, kit: Kit, samples: list[Sample]
    ) -> None:
        page = as_owner.get(f"/kits/add?sample={samples[2].id}").text
        (shown,) = re.findall(rf'name="revision-{kit.id}" value="(\d+)"', page)
        assert post_pad(as_owner, kit, "/place", "B2", sample=samples[1].id).status_code == 303
        form = {"sample": samples[2].id, "kit": kit.id, "pad": "B2"}
        late = as_owner.post("/kits/placements", **form, **{f"revision-{kit.id}": shown})
        assert late.status_code == 409
        assert "changed in another window" in late.text
        assert '<option value="B2" selected>' in late.text, "the choice is still there"
        assert held_ids(kit) == {"A1": samples[0].id, "B2": samples[1].id}
        (newer,) = re.findall(rf'name="revision-{kit.id}" value="(\d+)"', late.text)
        assert as_owner.post("/kits/placements", **form, **{f"revision-{kit.id}": newer}).status_code == 303
        assert held_ids(kit)["B2"] == samples[2].id
        assert as_owner.post("/kits/placements", **form).status_code == 400


class TestAdding:
    def test_each_pad_says_what_is_on_it(
        self, as_owner: Browser, as_stranger: Browser, kit: Kit, samples: list[Sample]
    ) -> None:
        trash.delete_sample(samples[0])
        post_pad(as_owner, kit, "/place", "J16", sample=samples[1].id)
        pads = as_owner.get(f"/kits/add/pads?kit={kit.id}&pad=B3").text
        assert '<option value="A1">A1 — in place of Sound 1</option>' in pads
        assert '<option value="B3" selected>B3</option>' in pads
        assert '<option value="J16">J16 — in place of Sound 2</option>' in pads
        assert "in place of" not in as_owner.get("/kits/add/pads?kit=").text
        assert as_stranger.get(f"/kits/add/pads?kit={kit.id}").status_code == 404

    def test_one_sample_goes_to_a_pad_or_to_the_first_free_one(
        self, as_owner: Browser, kit: Kit, samples: list[Sample]
    ) -> None:
        page = as_owner.get(f"/kits/add?sample={samples[1].id}").text
        assert "the first free one" in page
        seen = {f"revision-{kit.id}": kit.revision}
        as_owner.post("/kits/placements", sample=samples[1].id, kit=kit.id, pad="D4", **seen)
        as_owner.post("/kits/placements", sample=samples[2].id, kit=kit.id, pad="")
        assert held_ids(kit) == {"A1": samples[0].id, "D4": samples[1].id, "A2": samples[2].id}

    def test_a_locked_pad_is_not_the_first_free_one(
        self, as_owner: Browser, kit: Kit, samples: list[Sample]
    ) -> None:
        history.change_kit(kit, "Lock", pad_edits.lock(["A2"], True))
        as_owner.post("/kits/placements", sample=samples[1].id, kit=kit.id, pad="")
        assert {pad for pad, held in held_ids(kit).items() if held} == {"A1", "A3"}

    def test_a_selection_becomes_a_new_kit_in_its_order(
        self, as_owner: Browser, owner: User, samples: list[Sample]
    ) -> None:
        with transaction():
            samples[0].filename = "C05 snare.wav"
        ids = [samples[2].id, samples[0].id, samples[1].id]
        assert "3</span> samples" in as_owner.post("/kits/add", sample=ids).text
        assert as_owner.post("/kits/placements", sample=ids, kit="").status_code == 303
        (kit,) = kit_list.list_kits(owner)
        assert (kit.name, held_ids(kit)) == ("New kit", {"A1": ids[0], "C5": ids[1], "A2": ids[2]})

    def test_what_finds_no_pad_is_said(self, as_owner: Browser, owner: User) -> None:
        ids = [sample.id for sample in some_samples(owner, 162)]
        as_owner.post("/kits/placements", sample=ids, kit="")
        (kit,) = kit_list.list_kits(owner)
        assert len(held_ids(kit)) == 160
        assert "2 samples found no room" in as_owner.get(f"/kits/{kit.id}").text
        as_owner.post("/kits/placements", sample=ids[:1], kit=kit.id)
        assert "All 160 pads of this kit are taken" in as_owner.get("/kits").text

    def test_all_that_match_are_added_up_to_the_pads_of_a_kit(
        self, as_owner: Browser, owner: User, kit: Kit
    ) -> None:
        some_samples(owner, 162)
        follow_changes(owner.id)
        page = as_owner.post("/kits/add", all="1", ask="sound", sort="name", purpose="describe").text
        said = " ".join(re.sub(r"<[^>]+>", "", page).split())
        assert "You chose 165 samples. A kit has 160 pads, so only the first 160 are added." in said
        ids = re.findall(r'name="sample" value="(\w+)"', page)
        assert len(ids) == 160
        as_owner.post("/kits/placements", sample=ids, kit="")
        made = next(each for each in kit_list.list_kits(owner) if each.id != kit.id)
        assert [held_ids(made)[pad] for pad in PAD_NAMES] == ids
        assert "no room" not in as_owner.get(f"/kits/{made.id}").text
        as_owner.post("/kits/placements", sample=ids, kit=kit.id)
        assert (
            "Only 159 pads are free for 160 samples. Make a new kit from them." in as_owner.get("/kits").text
        )
        few = as_owner.post("/kits/add", all="1", ask="sound", kind="texture").headers["Location"]
        assert few == "/samples"

    def test_an_empty_selection_leads_back_to_the_library(self, as_owner: Browser) -> None:
        for answer in (as_owner.get("/kits/add"), as_owner.post("/kits/placements", kit="")):
            assert answer.headers["Location"] == "/samples"

    def test_a_strangers_sample_is_not_found(self, as_owner: Browser, kit: Kit, stranger: User) -> None:
        theirs = some_samples(stranger, 1)[0].id
        assert as_owner.get(f"/kits/add?sample={theirs}").status_code == 404
        assert as_owner.post("/kits/placements", sample=theirs, kit=kit.id).status_code == 404
        assert post_pad(as_owner, kit, "/place", sample=theirs).status_code == 404

    def test_the_samples_page_names_its_pads(
        self, as_owner: Browser, kit: Kit, samples: list[Sample]
    ) -> None:
        history.change_kit(kit, "Copy", pad_edits.copy_pad("A1", "B2"))
        page = as_owner.get(f"/samples/{samples[0].id}").text
        assert re.findall(r'Dusty kit <span class="num">(\w+)</span>', page) == ["A1", "B2"]
        assert "keeps these pads and their settings" in page
        assert "On pads" not in as_owner.get(f"/samples/{samples[1].id}").text
