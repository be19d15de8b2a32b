"""The page of similar samples: what it shows, what its links keep, and what it answers to bad addresses."""

from __future__ import annotations

import re
from html import unescape

import pytest

from app.library.trash import delete_sample
from app.models import User
from app.models.base import new_id
from tests.query_counter import counted_queries
from tests.search.vectors import random_vector, shelve_vectors, vector
from tests.support import Browser, row_names

LOOP = {"kind": "loop", "sound": None, "bpm": 100.0, "key": "A minor"}


def links(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]+)"', page)]


def test_the_source_is_on_top_and_each_row_says_how_well_it_matches(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Source": vector(), "Near": vector(body=0.2)}, brightness=40.0)
    shelve_vectors(owner, {"Far": vector(body=1.57)}, brightness=80.0)
    page = as_owner.get(f"/samples/{made['Source'].id}/similar").text
    assert row_names(page) == ["Source", "Near", "Far"]
    assert "99 %" in page
    assert "50 %" in page
    assert "same body" in page
    assert '<span class="reason">brighter</span>' in page
    assert "what the others are compared with" in page


def test_filters_presets_and_changes_are_links_that_keep_each_other(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Source": vector(), "Dusty loop": vector(body=0.2)}, **LOOP)
    url = f"/samples/{made['Source'].id}/similar"
    page = as_owner.get(f"{url}?preset=rhythm&but=faster&kind=loop&ask=dusty").text
    for link in (
        f"{url}?preset=timbre&but=faster&ask=dusty&kind=loop",
        f"{url}?preset=rhythm&but=slower&ask=dusty&kind=loop",
        f"{url}?preset=rhythm&ask=dusty&kind=loop",
        f"{url}?preset=rhythm&but=faster&ask=dusty",
        f"{url}?preset=rhythm&but=faster&kind=loop",
        f"{url}?preset=rhythm&but=faster",
    ):
        assert link in links(page), link
    assert row_names(as_owner.get(f"{url}?ask=dusty").text) == ["Source", "Dusty loop"]
    assert "Nothing matches." in as_owner.get(f"{url}?ask=dusty&kind=one-shot").text


def test_rows_lead_on_with_the_search_in_force(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Source": vector(), "Near": vector(body=0.2)}, **LOOP)
    in_menu, near = "/samples/{id}/similar", f"/samples/{made['Near'].id}/similar"
    found = as_owner.get(f"/samples/{made['Source'].id}/similar?preset=harmony&but=&kind=loop").text
    assert f"{in_menu}?preset=harmony&kind=loop" in links(found)
    assert f"{in_menu}?kind=loop" in links(as_owner.get("/samples?kind=loop&sort=name").text)
    assert near in links(as_owner.get(f"/samples/{made['Near'].id}").text)


def test_one_shots_are_not_asked_about_rhythm(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Hit": vector()}) | shelve_vectors(owner, {"Loop": vector()}, **LOOP)
    hit, loop = (as_owner.get(f"/samples/{made[name].id}/similar").text for name in ("Hit", "Loop"))
    assert ("Rhythm" in hit, "Rhythm" in loop) == (False, True)
    assert ("faster" in hit, "faster" in loop) == (False, True)


def test_htmx_gets_the_list_alone(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Source": vector(), "Near": vector(body=0.2)})
    page = as_owner.get(f"/samples/{made['Source'].id}/similar", headers={"HX-Request": "true"}).text
    assert page.lstrip().startswith('<div id="results">')
    assert row_names(page) == ["Source", "Near"]


def test_a_sample_without_a_vector_says_what_to_do(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"New": vector()}) | shelve_vectors(owner, {"Old": ()})
    page = as_owner.get(f"/samples/{made['Old'].id}/similar").text
    assert "This sample can't be compared yet" in page
    offer = f"/again?purpose=analyse&sample={made['Old'].id}"
    assert offer in links(page)
    assert as_owner.get(offer).status_code == 200
    assert (
        "Your other samples can't be compared yet" in as_owner.get(f"/samples/{made['New'].id}/similar").text
    )


def test_the_only_sample_says_that_there_is_nothing_to_compare(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Alone": vector()})
    page = as_owner.get(f"/samples/{made['Alone'].id}/similar").text
    assert "There is nothing to compare with yet." in page


def test_ticked_samples_are_compared_together(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"A": vector(), "B": vector(body=2), "Between": vector(body=1)})
    shelve_vectors(owner, {"Apart": vector(body=2.6)})
    answer = as_owner.post("/samples/similar", sample=[made["A"].id, made["B"].id], kind="one-shot", all="1")
    assert answer.status_code == 303
    page = as_owner.get(answer.location)
    assert "kind=one-shot" in answer.location
    assert "csrf" not in answer.location
    assert row_names(page.text) == ["A", "B", "Between", "Apart"]
    assert "Similar to 2 samples" in page.text
    one = as_owner.post("/samples/similar", sample=[made["A"].id])
    assert one.location == f"/samples/{made['A'].id}/similar"


def test_too_many_or_no_samples_get_a_sentence(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {f"{n}": random_vector(n) for n in range(21)})
    ids = [each.id for each in made.values()]
    for chosen, sentence in ((ids, "more than 20 samples"), ([], "Select 1 to 20 samples first")):
        answer = as_owner.post("/samples/similar", sample=chosen)
        back = as_owner.get(answer.location)
        assert back.location == "/samples"
        assert sentence in as_owner.get("/samples").text


def test_strangers_samples_answer_404(as_owner: Browser, owner: User, stranger: User) -> None:
    mine = shelve_vectors(owner, {"Mine": vector(), "Also mine": vector(body=1)})
    theirs = shelve_vectors(stranger, {"Theirs": vector(body=0.1)})["Theirs"].id
    assert as_owner.get(f"/samples/{theirs}/similar").status_code == 404
    assert as_owner.get(f"/samples/similar?sample={mine['Mine'].id}&sample={theirs}").status_code == 404
    assert "Theirs" not in as_owner.get(f"/samples/{mine['Mine'].id}/similar").text


def test_deleted_and_unknown_samples_answer_404(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Mine": vector(), "Gone": vector(body=1), "Never there": vector(body=2)})
    mine, gone = made["Mine"].id, made["Gone"].id
    assert as_owner.get(f"/samples/{gone}/similar").status_code == 200
    delete_sample(made["Gone"])
    for missing in (gone, new_id()):
        assert as_owner.get(f"/samples/{missing}/similar").status_code == 404
        for ids in ((mine, missing), (missing, mine)):
            assert as_owner.get(f"/samples/similar?sample={ids[0]}&sample={ids[1]}").status_code == 404


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "9" * 40, "²", ""])
def test_a_limit_out_of_range_is_refused(as_owner: Browser, owner: User, limit: str) -> None:
    made = shelve_vectors(owner, {"Source": vector()})
    assert as_owner.get(f"/samples/{made['Source'].id}/similar?limit={limit}").status_code == 400


def test_fifty_rows_are_shown_and_200_on_request(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {f"{n:03}": vector(body=n / 100) for n in range(230)})
    url = f"/samples/{made['000'].id}/similar"
    page = as_owner.get(url).text
    assert row_names(page) == [f"{n:03}" for n in range(51)]
    assert f"{url}?limit=200" in links(page)
    assert len(row_names(as_owner.get(f"{url}?limit=200").text)) == 201


def test_queries_do_not_grow_with_the_rows(as_owner: Browser, owner: User) -> None:
    made = shelve_vectors(owner, {"Source": vector(), "a": vector(body=1), "b": vector(body=2)})
    url, counts = f"/samples/{made['Source'].id}/similar?kind=one-shot&ask=kick", []
    for first in (10, 100):
        shelve_vectors(owner, {f"{n}": random_vector(n) for n in range(first, first + 40)})
        as_owner.get(url)
        with counted_queries() as statements:
            as_owner.get(url)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12, statements
