"""Check a password or a code, unless too many wrong ones came before."""

from __future__ import annotations

from dataclasses import replace

from app.auth import accounts, guess_limits, known_devices, two_factor_login
from app.auth.guess_limits import CODE_GUESS, PASSWORD_GUESS, account_key, guess_here
from app.auth.hashing_queue import hashing_queue
from app.models import User
from app.models.user_lookup import find_user

# Counted separately from all browsers: whoever opened the mailed link can read the owner's mail.
MAILED_LINK = "mailed link"


def check_password(email: str, password: str) -> User | None:
    """Return the user with this address and password, or None if there is none.

    Raises TooManyGuessesError, without checking the password, or HashingBusyError.
    """
    guess = guess_here(PASSWORD_GUESS, account_key(email))
    device = known_devices.claimed_device(guess.account)
    if device is None:
        guess_limits.check(guess)  # before waiting for a turn to hash
    with hashing_queue.turn():
        if device is not None and device.is_current(find_user(email)):
            guess = replace(guess, device=device.id)
        guess_limits.check(guess)
        user = accounts.authenticate(email, password)
        # Of many guesses at the same time, none is accepted once enough were wrong, not even a right one.
        guess_limits.check(guess)
        if user is None:
            guess_limits.record_wrong(guess)
    return user


def check_code(user: User, code: str, *, came_by_link: bool) -> bool:
    """Return whether a code of the second step is right, and use it up.

    Raises TooManyGuessesError without checking the code.
    """
    guess = guess_here(CODE_GUESS, account_key(user.email))
    device = known_devices.claimed_device(guess.account)
    if came_by_link:
        guess = replace(guess, device=MAILED_LINK)
    elif device is not None and device.is_current(user):
        guess = replace(guess, device=device.id)
    guess_limits.reserve(guess)
    is_right = two_factor_login.accept_code(user, code)
    if is_right:
        guess_limits.forgive(guess)
    return is_right
