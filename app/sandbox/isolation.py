"""System calls that tie a process to its parent and cut it off from the network."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere do nothing."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def leave_network() -> bool:
    """Move this process into an empty network namespace where permitted; return whether that worked."""
    if sys.platform != "linux":
        return False
    if _libc().unshare(_CLONE_NEWNET) == 0:
        return True
    # Root does not try: in a user namespace of its own it would lose its rights over other users' files.
    return os.geteuid() != 0 and _libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
