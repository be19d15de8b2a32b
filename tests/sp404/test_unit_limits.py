"""Limits of the unit."""

from __future__ import annotations

from app.sp404 import unit_limits


def test_a_pad_holds_sixteen_minutes() -> None:
    assert unit_limits.fits_on_pad(960.0)
    assert not unit_limits.fits_on_pad(960.1)
