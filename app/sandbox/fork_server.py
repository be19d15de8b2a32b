"""The process that every engine child is forked from. `app.sandbox.runner` starts it and never imports it.

It has a single thread, holds no secret, and ends together with all its children when its parent does.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.audio.errors import UnreadableAudio
from app.sandbox.isolation import die_with_parent, leave_network

STDERR_NAME = "stderr.txt"

EntryFunction = Callable[[dict[str, Any], Callable[[str, dict[str, Any]], None]], dict[str, Any]]


def main(control_fd: str, entry: str, warm: str, limits: str) -> None:
    # A worker that stops closes the socket, which ends this process; until then a running job may finish.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    control = socket.socket(fileno=int(control_fd))
    call = _load_function(entry)
    if warm:
        _load_function(warm)()
    gc.collect()
    gc.freeze()
    control.sendall(b"r")
    serve_requests(control, call, json.loads(limits))


def serve_requests(control: socket.socket, call: EntryFunction, limits: dict[str, int]) -> None:
    """Fork a child for each request, report how each ended, and return when the parent is gone."""
    children: dict[int, socket.socket] = {}
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            with suppress(BlockingIOError):
                woken.recv(4096)
            reap_children(children)
        if control in ready:
            message = receive_request(control)
            if message is None:
                break
            request, data, status = message
            pid = fork_child(control, call, limits, request, data, [status, wake, woken, *children.values()])
            data.close()
            children[pid] = status
            with suppress(OSError):
                status.sendall(b"pid %d\n" % pid)
    for pid in children:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def receive_request(control: socket.socket) -> tuple[dict[str, Any], socket.socket, socket.socket] | None:
    """Return a request with its two sockets, for messages and for status; None when the parent is gone."""
    header, descriptors, _, _ = socket.recv_fds(control, 4, 2)
    if len(header) < 4 or len(descriptors) != 2:
        return None
    data, status = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    wanted, body = int.from_bytes(header, "big"), b""
    while len(body) < wanted:
        block = control.recv(wanted - len(body))
        if not block:
            return None
        body += block
    return json.loads(body), data, status


def reap_children(children: dict[int, socket.socket]) -> None:
    """Collect the children that have ended, and send each one's exit code over its status socket."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        ended = children.pop(pid, None)
        if ended is not None:
            with ended, suppress(OSError):
                ended.sendall(b"exit %d\n" % os.waitstatus_to_exitcode(status))


def fork_child(
    control: socket.socket,
    call: EntryFunction,
    limits: dict[str, int],
    message: dict[str, Any],
    data: socket.socket,
    parent_sockets: list[socket.socket],
) -> int:
    """Fork a child that runs the entry in its folder, and return its process id. The child never returns."""
    pid = os.fork()
    if pid:
        with suppress(OSError):
            os.setpgid(pid, pid)  # both sides do it, so that a kill cannot come too early
        return pid
    code = 1
    try:
        for other in (control, *parent_sockets):
            other.close()
        confine_child(Path(message["folder"]), limits)
        code = run_entry(call, message["request"], data)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def confine_child(folder: Path, limits: dict[str, int]) -> None:
    """Give the child a session, a folder and limits of its own, and no network where that is permitted."""
    with suppress(OSError):
        os.setsid()
    signal.set_wakeup_fd(-1)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(name, signal.SIG_DFL)
    os.chdir(folder)
    output = os.open(folder / STDERR_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ["TMPDIR"] = str(folder)
    faulthandler.enable()
    die_with_parent()
    leave_network()
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"] + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits["file_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits["open_files"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_entry(call: EntryFunction, request: dict[str, Any], data: socket.socket) -> int:
    """Run the entry, send its answer as one line of JSON, and return the exit code."""

    def send(message: dict[str, Any]) -> None:
        data.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")

    try:
        result = call(request, lambda step, facts: send({"progress": step, "facts": facts}))
        send({"result": result})
    except UnreadableAudio as verdict:
        send({"unreadable": verdict.message})
    except MemoryError:
        send({"memory": True, "error": traceback.format_exc(limit=5)})
        return 1
    except Exception:
        send({"error": traceback.format_exc()})
        return 1
    return 0


def _load_function(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    main(*sys.argv[1:])
