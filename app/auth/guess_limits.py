"""Count wrong passwords and codes, so that nobody can guess for long or lock an owner out.

Right ones never count. A network that guesses is stopped first. When an account is guessed at from many
networks, unknown browsers can't sign in to it, and its owner gets a link by mail. A known browser has a count
of its own, which strangers can't use up.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TypeVar

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from app.extensions import limiter
from app.mail_addresses import normalize_address
from app.rate_limits import SITE_FACTOR, client_network, client_site

log = logging.getLogger(__name__)

PASSWORD_GUESS, CODE_GUESS, LINK_REQUEST = "password", "code", "link"
# How many wrong guesses are allowed: from one network at one account, from one network at all accounts, at
# one account from anywhere, and from one known browser. For a link request, the mails sent are counted.
BY_NETWORK_AND_ACCOUNT = {PASSWORD_GUESS: 10, CODE_GUESS: 10, LINK_REQUEST: 5}
BY_NETWORK = {PASSWORD_GUESS: 30, CODE_GUESS: 30, LINK_REQUEST: 10}
BY_ACCOUNT = {PASSWORD_GUESS: "20/hour;100/day", CODE_GUESS: "10/hour;30/day"}
BY_DEVICE = "10/hour"
# How many mails an address gets when others sign up with it.
MAILS = "3/hour;6/day"

Answer = TypeVar("Answer")
Count = tuple[RateLimitItem, str]


class TooManyGuessesError(Exception):
    """There were too many wrong passwords or codes, so this one was not checked."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many guesses; again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Guess:
    """A password or code tried at an account; `device` is the known browser or mailbox it came from."""

    kind: str
    account: str
    network: str
    site: str | None
    device: str | None = None

    def counts(self) -> list[Count]:
        """Return every limit that this guess counts towards, the narrowest first."""
        if self.device is not None:
            return _parse_counts(BY_DEVICE, f"{self.kind}:{self.account}:device:{self.device}")
        found = self._network_counts(self.network, 1)
        found += self._network_counts(self.site, SITE_FACTOR) if self.site is not None else []
        return found + _parse_counts(BY_ACCOUNT.get(self.kind, ""), f"{self.kind}:{self.account}")

    def _network_counts(self, network: str, factor: int) -> list[Count]:
        at_account = f"{BY_NETWORK_AND_ACCOUNT[self.kind] * factor}/hour"
        at_all = f"{BY_NETWORK[self.kind] * factor}/hour"
        return [
            *_parse_counts(at_account, f"{self.kind}:{self.account}:{network}"),
            *_parse_counts(at_all, f"{self.kind}:all:{network}"),
        ]


def guess_here(kind: str, account: str, device: str | None = None) -> Guess:
    """Return the guess that the current request makes at an account."""
    return Guess(kind, account, client_network(), client_site(), device)


def account_key(email: str) -> str:
    """Return what stands for an address in counts and cookies, the same however the address is written."""
    written = email.strip().lower()
    with suppress(ValueError):
        written = normalize_address(email)
    return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check(guess: Guess) -> None:
    """Raise TooManyGuessesError if there have been too many wrong guesses; count nothing."""
    full = [count for count in guess.counts() if not _call(_test, count)]
    if full:
        raise TooManyGuessesError(max(_call(_seconds_left, count) for count in full))


def record_wrong(guess: Guess) -> None:
    """Count a wrong guess."""
    for count in guess.counts():
        _call(_hit, count)


def reserve(guess: Guess) -> None:
    """Count a guess before it is checked, so that many at once can't exceed the limit.

    Raises TooManyGuessesError, and then counts nothing. `forgive` takes a right guess back.
    """
    check(guess)
    refused = [count for count in guess.counts() if not _call(_hit, count)]
    if refused:
        forgive(guess)
        raise TooManyGuessesError(max(_call(_seconds_left, count) for count in refused))


def forgive(guess: Guess) -> None:
    """Take back a guess that `reserve` has counted."""
    for count in guess.counts():
        _call(_give_back, count)


def take_mail(account: str) -> bool:
    """Return whether an address may get another mail that anybody can request; if so, count it."""
    counts = _parse_counts(MAILS, f"mail:{account}")
    has_room = all(_call(_test, count) for count in counts)
    for count in counts if has_room else ():
        _call(_hit, count)
    return has_room


@cache
def _parse_rates(rates: str) -> list[RateLimitItem]:
    return parse_many(rates) if rates else []


def _parse_counts(rates: str, key: str) -> list[Count]:
    return [(item, f"guess:{key}") for item in _parse_rates(rates)]


def _test(strategy: RateLimiter, count: Count) -> bool:
    return strategy.test(*count)


def _hit(strategy: RateLimiter, count: Count) -> bool:
    return strategy.hit(*count)


def _give_back(strategy: RateLimiter, count: Count) -> bool:
    return strategy.hit(*count, cost=-1)


def _seconds_left(strategy: RateLimiter, count: Count) -> int:
    item, key = count
    left = math.ceil(strategy.get_window_stats(item, key).reset_time - time.time())
    return min(max(left, 1), item.get_expiry())


def _call(action: Callable[[RateLimiter, Count], Answer], count: Count) -> Answer:
    """Return the result of an action on a count; while Redis is down, this process counts by itself."""
    try:
        return action(limiter.limiter, count)
    except limiter.storage.base_exceptions:
        log.warning("counting guesses in this process, as the store of the limits is away", exc_info=True)
        return action(_counts_of_this_process(), count)


@cache
def _counts_of_this_process() -> RateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())
