"""htmx gets the parts of a kit's page that a change may touch, and the page is not loaded again."""

from __future__ import annotations

import re
from typing import Any

from app.extensions import db
from app.models import Kit, Sample
from tests.kits.stock import held_ids, post_pad
from tests.support import Browser

HTMX = {"HX-Request": "true"}
SWAPPED = {"kit-notices", "kit-head", "banks", "pads", "pads-selection", "kit-forms"}


def test_a_change_answers_with_the_parts_that_it_may_touch(
    as_owner: Browser, kit: Kit, samples: list[Sample]
) -> None:
    place = f"/kits/{kit.id}/pads/A2"
    moved = as_owner.post(f"{place}/place", HTMX, revision=kit.revision, sample=samples[1].id)
    assert (moved.status_code, moved.headers["Location"]) == (303, place)
    answer = as_owner.get(place, headers=HTMX | {"HX-Current-URL": f"http://localhost/kits/{kit.id}"})
    assert answer.text.lstrip().startswith('<section class="panel pad-panel"')
    assert set(re.findall(r'id="([\w-]+)"[^>]* hx-swap-oob="true"', answer.text)) == SWAPPED
    assert "kit-tools" not in answer.text, "what plays stays as it is"
    assert answer.headers["HX-Push-Url"] == place
    again = as_owner.get(place, headers=HTMX | {"HX-Current-URL": f"http://localhost{place}#pad-panel"})
    assert again.headers["HX-Push-Url"] == "false"


def test_no_address_breaks_the_answer(as_owner: Browser, kit: Kit) -> None:
    assert as_owner.get("/kits/a%0Ab", headers=HTMX).status_code == 404
    answer = as_owner.get(f"/kits/{kit.id}", headers=HTMX | {"HX-Current-URL": "http://["})
    assert (answer.status_code, answer.headers["HX-Push-Url"]) == (200, f"/kits/{kit.id}")


def test_a_conflict_shows_the_kit_and_a_refusal_only_says_why(as_owner: Browser, kit: Kit) -> None:
    late = as_owner.post(f"/kits/{kit.id}/pads/A1/clear", HTMX, revision=0)
    assert (late.status_code, late.headers["HX-Push-Url"]) == (409, "false")
    assert 'role="alert"' in late.text
    assert f'data-revision="{kit.revision}"' in late.text
    refused = as_owner.post(f"/kits/{kit.id}/pads/A7/copy", HTMX, revision=kit.revision, to="A1")
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (422, "#kit-notices")
    assert "Pad A7 is empty" in refused.text
    assert "id=" not in refused.text


def test_the_player_learns_which_sounds_are_new(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    def heard() -> dict[str, str]:
        db.session.refresh(kit)
        bank: Any = as_owner.get(f"/kits/{kit.id}/banks/A/sounds").json
        return {name: sound["heard"] for name, sound in bank["pads"].items()}

    before = heard()
    post_pad(as_owner, kit, "/copy", to="A2")
    assert heard() == before | {"A2": before["A1"]}, "a copy sounds the same"
    post_pad(as_owner, kit, "/exchange", pad="A2", to="A3")
    assert heard() == before | {"A3": before["A1"]}
    post_pad(as_owner, kit, "/place", pad="A1", sample=samples[1].id)
    assert heard()["A1"] != before["A1"]


def test_the_library_beside_the_pads(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    url = f"/kits/{kit.id}/library"
    found = as_owner.get(f"{url}?ask=Sound+2&bpm_min=60&pad=B3", headers=HTMX)
    assert found.text.count('<tr class="row"') == 1
    assert f'value="{samples[1].id}" form="placing"' in found.text
    assert found.headers["HX-Push-Url"] == "false"
    chips = re.findall(r'class="chip" href="([^"]+)"', found.text)
    assert any("pad=B3" in each and "bpm_min" not in each for each in chips), "a chip takes the tempo out"
    rows = as_owner.get(f"{url}?after={samples[2].id}", headers=HTMX).text
    assert (rows.count('<tr class="row"'), "kit-library" in rows) == (2, False)
    whole = as_owner.get(f"{url}?ask=Sound+2&pad=B3").text
    assert 'id="pad-title"' in whole
    assert f'action="/kits/{kit.id}/pads/B3/place"' in whole
    assert whole.count('<tr class="row"') == 1


def test_without_an_open_pad_a_sample_goes_to_the_first_free_one_of_the_bank(
    as_owner: Browser, kit: Kit, samples: list[Sample]
) -> None:
    page = as_owner.get(f"/kits/{kit.id}?bank=C").text
    assert 'id="placing" method="post" action="/kits/placements"' in page
    sent = {"revision": kit.revision, "kit": kit.id, "bank": "C", "sample": samples[1].id}
    assert as_owner.post("/kits/placements", **sent).headers["Location"] == f"/kits/{kit.id}?bank=C"
    assert held_ids(kit) == {"A1": samples[0].id, "C1": samples[1].id}
