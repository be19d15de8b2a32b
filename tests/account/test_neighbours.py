"""An account beside one that has the same of everything: neither its pages nor its actions mix the two up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.account import closing
from app.audio.render.recipe import RenderRecipe
from app.auth import accounts, api_tokens, login_sessions, two_factor_login
from app.collections import collection_edits, collection_rows, moves
from app.deduplication import groups
from app.extensions import db, settings
from app.jobs import actions, scheduler
from app.kits import (
    history,
    kit_list,
    pad_edits,
)
from app.library import bulk_edits, cleanups, trash
from app.models import (
    Collection,
    DataExport,
    DuplicateGroup,
    Job,
    Kit,
    MailLink,
    Render,
    Sample,
    SampleMove,
    ShapingPreset,
    User,
)
from app.models.base import transaction, utcnow
from app.models.job import FAILED, PENDING
from app.models.sample_places import SamplePlace
from app.models.user_session import RESET
from app.notify import mail_links, outbox, webhook_delivery
from app.shaping import presets, renders
from app.upload import known_files
from app.webhooks import endpoints
from tests.account.closings import finish
from tests.account.full_account import FullAccount, environment
from tests.account.gone_things import add_gone_things
from tests.account.neighbour import add_neighbour
from tests.account.rows_of_account import own_rows
from tests.account.shown_things import SINCE, of_jobs, of_the_account, one, what_is_shown
from tests.fake_stripe.server import FakeStripe
from tests.support import PASSWORD


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


def test_an_account_is_shown_nothing_of_one_that_has_the_same(full: FullAccount) -> None:
    before = what_is_shown(full.user)
    other = add_neighbour(full.user, "neighbour@closing.example")
    mine, theirs = own_rows(full.user_id), own_rows(other.id)
    counts = [{name: len(rows) for name, rows in each.items()} for each in (mine, theirs)]
    assert counts[0] == counts[1]
    after = what_is_shown(full.user)
    assert {name: after[name] for name in before if after[name] != before[name]} == {}


def test_an_account_without_anything_is_shown_nothing_of_others(full: FullAccount) -> None:
    empty = accounts.register_user("empty@closing.example", PASSWORD, "UTC")
    hashes = db.session.scalars(sa.select(Sample.content_sha256)).all()
    shown = of_jobs(empty) | of_the_account(empty) | {"known": known_files.find_samples(empty, hashes)}
    told = {
        name for name, value in shown.items() if value and (not isinstance(value, tuple | list) or any(value))
    }
    assert told == {"plan", "first files", "exported"}
    assert shown["first files"] == settings().free_immediate_files
    assert {name for name, rows in shown["exported"].items() if rows} == {"account.json"}


def rows_of(user_id: str) -> dict[str, list[str]]:
    db.session.commit()
    return {name: sorted(map(repr, rows)) for name, rows in own_rows(user_id).items()}


def prepare(user: User) -> None:
    """Add what is undone or ended below, so that the neighbour has it too, of the same times."""
    mine = ids_of_samples(user)
    moves.move_samples(user, mine, SamplePlace("Crate", "Dusty"))
    bulk_edits.delete_samples(user, mine[:1])
    kit = one(user, Kit)
    history.change_kit(kit, "Place it on B2", pad_edits.place("B2", pad_edits.pad_for_sample(first(user))))
    history.undo_change(kit)
    kit_list.delete_kit(kit_list.copy_kit(user, kit))
    with transaction() as session:
        session.add(DataExport(user_id=user.id, next_try_at=utcnow() + SINCE))
        session.execute(sa.update(Job).where(Job.state == PENDING).values(run_at=utcnow() + SINCE))
    outbox.deliver_mails()


def first(user: User) -> Any:
    return one(user, Sample, Sample.deleted_at.is_(None))


def ids_of_samples(user: User) -> list[str]:
    return list(db.session.scalars(sa.select(Sample.id).where(Sample.user_id == user.id).order_by(Sample.id)))


def everybodys() -> list[str]:
    """Return the ids of all samples, as somebody may send those of others."""
    return list(db.session.scalars(sa.select(Sample.id).order_by(Sample.id)))


def in_transaction(action: Callable[[User], object]) -> Callable[[User], object]:
    def act(user: User) -> None:
        with transaction():
            action(user)

    return act


def restore_samples(user: User) -> None:
    deleted = one(user, Sample, Sample.deleted_at.is_not(None))
    assert bulk_edits.restore_samples(user, deleted.deleted_at, 100) == 1


def undo_move(user: User) -> None:
    moved = sa.select(SampleMove).where(SampleMove.sample_id == first(user).id)
    assert moves.undo_move(user, db.session.scalars(moved).one().moved_at)


def hide_collection(user: User) -> None:
    collection = collection_rows.find_named(user.id, "Crate")
    assert collection is not None
    collection_edits.hide_collection(collection, utcnow())


def show_collection(user: User) -> None:
    collection_edits.show_collection(one(user, Collection, Collection.deleted_at.is_not(None)))


def evict_renders(user: User) -> None:
    renders.make_room(user.id, renders.cache_usage(user).room_bytes)


def change_plan(user: User) -> None:
    with transaction():
        assert user.subscription is not None
        user.subscription.plan = "enterprise"
    scheduler.move_to_plan(user)


def close(user: User) -> None:
    closing.close_account(user)
    finish()


ACTIONS: dict[str, Callable[[User], object]] = {
    "restore samples": restore_samples,
    "like samples": lambda user: bulk_edits.like_samples(user, everybodys(), True),
    "tag samples": lambda user: bulk_edits.tag_samples(user, everybodys(), add=["one"], remove=[]),
    "hide a collection": hide_collection,
    "show a collection": show_collection,
    "undo a move": undo_move,
    "move samples": lambda user: moves.move_samples(user, everybodys(), SamplePlace("Other")),
    "delete a sample": lambda user: trash.delete_sample(first(user)),
    "restore a sample": restore_samples,
    "tell apart": in_transaction(
        lambda user: groups.tell_apart(one(user, DuplicateGroup), [ids_of_samples(user)[-1]])
    ),
    "take back": in_transaction(lambda user: groups.take_back(one(user, DuplicateGroup), everybodys())),
    "free duplicates": cleanups.free_all,
    "undo freeing": lambda user: cleanups.undo_cleanup(cleanups.recent_cleanups(user)[0]),
    "redo a change of a kit": lambda user: history.redo_change(one(user, Kit)),
    "undo a change of a kit": lambda user: history.undo_change(one(user, Kit)),
    "change a kit": lambda user: history.change_kit(
        one(user, Kit), "Louder", pad_edits.change_bank("A", volume=90)
    ),
    "delete a kit": lambda user: kit_list.delete_kit(one(user, Kit)),
    "restore a kit": lambda user: kit_list.restore_kit(user, one(user, Kit, Kit.deleted_at.is_not(None))),
    "save a preset": lambda user: presets.save_preset(user, "Backwards", RenderRecipe(gain_db=-3)),
    "delete a preset": lambda user: presets.delete_preset(one(user, ShapingPreset)),
    "use a render": lambda user: renders.touch(one(user, Render)),
    "evict renders": evict_renders,
    "run a job now": lambda user: actions.run_now(one(user, Job, Job.state == PENDING).id),
    "change the plan": change_plan,
    "try a job again": lambda user: actions.retry(one(user, Job, Job.state == FAILED).id),
    "cancel a batch": lambda user: actions.cancel_batch(one(user, Job, Job.state == PENDING).batch_id),
    "end a session": lambda user: login_sessions.end_session(login_sessions.list_sessions(user)[0].id),
    "revoke a token": lambda user: api_tokens.revoke_token(api_tokens.list_tokens(user)[0]),
    "use a link": in_transaction(lambda user: mail_links.use_link(one(user, MailLink))),
    "revoke some links": in_transaction(lambda user: mail_links.revoke_links(user, RESET)),
    "revoke all links": in_transaction(mail_links.revoke_every_link),
    "disable the second step": two_factor_login.disable,
    "tell its webhooks": in_transaction(
        lambda user: webhook_delivery.enqueue_event(user.id, "job.completed", "y", {})
    ),
    "remove a webhook": lambda user: endpoints.remove_endpoint(endpoints.list_endpoints(user)[0]),
    "close the account": close,
}


def test_what_an_account_does_changes_nothing_of_one_that_has_the_same(full: FullAccount) -> None:
    """The neighbour acts, so that a query which finds the first row of all finds one of the other account."""
    prepare(full.user)
    neighbour = add_neighbour(full.user, "neighbour@closing.example")
    for name, action in ACTIONS.items():
        acting, other = (full.user, neighbour) if action is close else (neighbour, full.user)
        acting_id, other_id = acting.id, other.id
        mine, theirs = rows_of(acting_id), rows_of(other_id)
        action(acting)
        assert rows_of(acting_id) != mine, name
        assert rows_of(other_id) == theirs, name


def test_what_is_deleted_ended_or_too_old_is_not_shown(full: FullAccount) -> None:
    before = what_is_shown(full.user)
    add_gone_things(full.user)
    after = what_is_shown(full.user)
    # The export has everything, an account's first files are its first for ever, and the caller says which
    # fingerprints and vectors are read.
    everything = {"exported", "first files", "alike", "with a sound"}
    assert {name for name in before.keys() - everything if after[name] != before[name]} == set()
    assert after["exported"] != before["exported"]
