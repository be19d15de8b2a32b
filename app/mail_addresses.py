"""Convert mail addresses to the form they are stored in, and back to the form people read.

The stored form has the domain as DNS has it: lower case and in the ASCII form of IDNA (UTS 46), so a domain
is the same however it is typed. The part before the @ is in lower case and NFC.
"""

from __future__ import annotations

import unicodedata
from email.headerregistry import Address
from email.utils import parseaddr

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

MAX_CHARS = 254
# An address as typed may be longer than it is stored.
MAX_READ = 2 * MAX_CHARS
# Keyboards for Chinese, Japanese and Korean have these for @.
OTHER_AT_SIGNS = str.maketrans({"\uff20": "@", "\ufe6b": "@"})


class AddressError(ValueError):
    """The text is not an address that mail can be sent to."""


def parse_address(typed: str) -> str:
    """Return the stored form of an address that mail can be sent to, or raise AddressError."""
    if len(typed) > MAX_READ:  # before the parser, which takes quadratic time in a run of accents
        raise AddressError("The address is too long.")
    try:
        valid = validate_email(_plain_text(typed), allow_smtputf8=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from error
    address = _stored_form(valid)
    if len(address) > MAX_CHARS:
        raise AddressError("The address is too long.")
    return address


def normalize_address(typed: str) -> str:
    """Return the stored form of an address; any other text is returned in lower case."""
    valid = _parse_leniently(_plain_text(typed))
    return lowered_address(typed) if valid is None else _stored_form(valid)


def lowered_address(typed: str) -> str:
    """Return the form in which earlier versions stored an address: as typed, in lower case."""
    return typed.strip().lower()


def readable_address(address: str) -> str:
    """Return an address as people read it, with the domain in its own script."""
    if address.isascii() and "xn--" not in address:
        return address
    valid = _parse_leniently(address)
    return address if valid is None else f"{valid.local_part}@{valid.domain}"


def needs_smtputf8(address: str) -> bool:
    """Return whether only a mail server with SMTPUTF8 can send to it, as it is not ASCII before the @."""
    return not normalize_address(address).isascii()


def header_address(header: str) -> str:
    """Return `Name <address>` with the domain in its ASCII form, which every mail server accepts."""
    name, address = parseaddr(header)
    valid = _parse_leniently(address)
    if address.isascii() or valid is None:
        return header
    # The local part stays as it is: only its own server knows whether case counts.
    return str(Address(name, valid.local_part, valid.ascii_domain or ""))


def _stored_form(valid: ValidatedEmail) -> str:
    local_part = unicodedata.normalize("NFC", valid.local_part.lower())
    return f"{local_part}@{valid.ascii_domain}"


def _parse_leniently(address: str) -> ValidatedEmail | None:
    """Return the parts of an address, even of one inside a network, such as `demo@localhost`."""
    if len(address) > MAX_READ:
        return None
    try:
        return validate_email(
            address,
            allow_smtputf8=True,
            check_deliverability=False,
            test_environment=True,
            globally_deliverable=False,
        )
    except EmailNotValidError:
        return None


def _plain_text(typed: str) -> str:
    return typed.strip().translate(OTHER_AT_SIGNS)
