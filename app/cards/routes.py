"""The page that makes cards of a kit: what to choose, what to know before, and the cards that are kept."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

import tasks
from app.cards import (
    card_orders,
    card_preflight,
    card_wait_views,  # noqa: F401  # importing it registers its views
)
from app.cards.card_page import TARGET_WORDS, blueprint, target_names
from app.cards.card_preflight import CardCheck
from app.cards.card_purpose import CARD
from app.extensions import limiter
from app.form_responses import parse_whole_number, see_other
from app.jobs import reprocess
from app.kits import history, kit_bases, kit_list
from app.kits.history import KitConflictError, KitTooLargeError
from app.kits.kit_rows import has_patterns
from app.models import CardExport, Job, Kit
from app.models.ownership import owned_by
from app.negotiation import wants_fragment
from app.plurals import join_words
from app.sp404.card.card_options import PROJECTS, TARGETS
from app.sp404.errors import UnitFileError
from app.sp404.preflight.findings import Finding
from app.sp404.preflight.fix_words import describe_fix

__all__ = ["blueprint"]
DEFAULT_TARGET = "import"
FIXES_TOLD = 6
FIX_ALL = "all"


class CardChoice(NamedTuple):
    """The cards and the project number chosen on the page; 0 stands for a number that no project has."""

    targets: list[str]
    number: int

    @property
    def query(self) -> dict[str, Any]:
        """The same for the page's address."""
        return {"target": self.targets, "project_number": self.number, "chosen": 1}


@blueprint.get("/kits/<kit_id>/card")
def choose(kit_id: str) -> str:
    """Show what cards there are, what is worth knowing before, and those that are kept."""
    kit = kit_list.owned_kit(current_user, kit_id)
    choice = _choice_of(request.args)
    known = CardChoice([each for each in choice.targets if each in TARGETS], choice.number)
    if wants_fragment():
        return render_template("cards/_preflight.html", kit=kit, choice=known, **_preflight(kit, known))
    return _page(kit, known)


@blueprint.post("/kits/<kit_id>/card")
def check(kit_id: str) -> Response:
    """Show the page for the chosen cards; with JavaScript the page does so by itself."""
    kit = kit_list.owned_kit(current_user, kit_id)
    return see_other("cards.choose", kit_id=kit.id, **_choice_of(request.form).query)


@blueprint.post("/kits/<kit_id>/fixes")
def fix(kit_id: str) -> Response | tuple[str, int]:
    """Fix one finding of the preflight, or all."""
    kit, choice = kit_list.owned_kit(current_user, kit_id), _choice_of(request.form)
    revision, wanted = parse_whole_number(request.form.get("revision", "")), request.form.get("fix", "")
    if revision is None:
        abort(400)
    try:
        if wanted == FIX_ALL:
            fixed = card_preflight.fix_everything(kit, choice.targets, revision)
        else:
            place, _, code = wanted.partition(" ")
            fixed = card_preflight.fix_card(kit, choice.targets, place, code, revision)
    except KitConflictError as error:
        return _page(kit, choice, str(error)), 409
    except (KitTooLargeError, UnitFileError) as error:
        return _page(kit, choice, str(error)), 422
    return see_other("cards.choose", _told(fixed), kit_id=kit.id, **choice.query)


@blueprint.post("/kits/<kit_id>/exports")
@limiter.limit("30/minute", key_func=lambda: f"account:{current_user.id}")
def order(kit_id: str) -> Response | tuple[str, int]:
    """Have a card made."""
    kit, choice = kit_list.owned_kit(current_user, kit_id), _choice_of(request.form)
    try:
        job = card_orders.order_card(
            current_user,
            kit,
            choice.targets,
            choice.number,
            draws_screen="startup_screen" in request.form,
        )
    except (UnitFileError, reprocess.DailyLimitError) as error:
        return _page(kit, choice, str(error)), 422
    tasks.wake_for_job(job.tier)
    return redirect(url_for(".progress", kit_id=kit.id, export_id=job.id), 303)


@blueprint.get("/exports/<export_id>")
def made(export_id: str) -> Response:
    """Download a card."""
    card = owned_by(current_user, CardExport, export_id)
    return redirect(card_orders.download_url(card))


def _choice_of(sent: MultiDict[str, str]) -> CardChoice:
    """Return what was chosen; a page that was just opened has one card chosen already."""
    number = sent.get("project_number", "1")
    targets = list(dict.fromkeys(sent.getlist("target")))
    if not targets and request.method == "GET" and "chosen" not in sent:
        targets = [DEFAULT_TARGET]
    return CardChoice(
        targets, int(number) if number.isascii() and number.isdigit() and len(number) < 3 else 0
    )


def _page(kit: Kit, choice: CardChoice, sentence: str = "") -> str:
    under_way = [job for job in reprocess.unfinished_jobs_for(current_user, CARD) if _is_about(job, kit)]
    known = CardChoice([each for each in choice.targets if each in TARGETS], choice.number)
    was_brought_back = kit_bases.has_base(kit)
    return render_template(
        "cards/choose.html",
        kit=kit,
        sentence=sentence,
        choice=known,
        target_words={target: TARGET_WORDS[target] for target in TARGETS},
        targets=target_names(),
        was_brought_back=was_brought_back,
        has_patterns=was_brought_back or has_patterns(kit),
        projects=range(1, PROJECTS + 1),
        kept=card_orders.kept_cards(current_user, kit),
        under_way=under_way,
        left=max(reprocess.left_today(current_user, CARD), 0),
        steps=history.next_steps(kit),
        bank="A",
        **_preflight(kit, known),
    )


def _preflight(kit: Kit, choice: CardChoice) -> dict[str, Any]:
    found = card_preflight.check_card(kit, choice.targets) if choice.targets else CardCheck(())
    return {"check": found, "describe_fix": describe_fix}


def _told(fixed: list[Finding]) -> str:
    """Return what was fixed, as a sentence."""
    if not fixed:
        return "There was nothing left to fix."
    words = [f"{each.place}: {describe_fix(each.fix)}" for each in fixed if each.fix]
    more = [f"{len(words) - FIXES_TOLD} more"] if len(words) > FIXES_TOLD else []
    return f"Fixed. {join_words([*words[:FIXES_TOLD], *more])}."


def _is_about(job: Job, kit: Kit) -> bool:
    return (job.choices or {}).get("kit_id") == kit.id
