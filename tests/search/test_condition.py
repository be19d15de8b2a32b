"""Which terms of the index a combined condition asks for, and which values it lets a sample have."""

from __future__ import annotations

from sqlalchemy import true

from app.search.condition import Condition, all_of, any_of, without_frequent
from app.search.conditions import one_of

LOOPS, HITS, KICKS = one_of("kind", "loop"), one_of("kind", "one-shot"), one_of("sound", "kick")
SNARES = one_of("sound", "snare")
DARK = Condition(true(), (frozenset({"tmood:dark"}),))


def test_a_condition_knows_the_values_it_can_find() -> None:
    assert LOOPS.values == {"kind": {"loop"}}
    assert all_of(LOOPS, KICKS).values == {"kind": {"loop"}, "sound": {"kick"}}
    assert all_of(LOOPS, HITS).values == {"kind": frozenset()}
    assert any_of(LOOPS, HITS).values == {"kind": {"loop", "one-shot"}}
    assert any_of(LOOPS, KICKS).values == {}
    assert all_of(any_of(KICKS, SNARES), KICKS, LOOPS).values == {"kind": {"loop"}, "sound": {"kick"}}
    assert any_of(all_of(LOOPS, KICKS), SNARES).values == {"sound": {"kick", "snare"}}
    assert (~LOOPS).values == {}


def test_groups_that_a_large_share_of_the_library_has_are_left_out() -> None:
    shares = {"tkind:loop": 0.4, "tkind:one-shot": 0.5, "tsound:kick": 0.05}
    wanted = all_of(LOOPS, KICKS, DARK)
    assert set(without_frequent(wanted, shares).groups) == {*KICKS.groups, *DARK.groups}
    assert set(without_frequent(wanted, {}).groups) == set(wanted.groups)
    assert without_frequent(wanted, shares).exact is wanted.exact
    assert without_frequent(wanted, shares).values == wanted.values


def test_a_group_counts_with_all_its_terms() -> None:
    both = one_of("sound", "kick", "snare")
    shares = {"tsound:kick": 0.12, "tsound:snare": 0.12}
    assert without_frequent(all_of(both, DARK), shares).groups == DARK.groups


def test_of_frequent_groups_alone_the_rarest_stays() -> None:
    shares = {"tkind:loop": 0.4, "tsound:kick": 0.3}
    assert without_frequent(all_of(LOOPS, KICKS), shares).groups == KICKS.groups
    assert without_frequent(Condition(true()), shares).groups == ()
