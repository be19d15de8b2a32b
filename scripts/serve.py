"""Run the product for `make run`: migrate the database, then run web and worker until Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import honcho.manager
from honcho.environ import parse_procfile
from honcho.manager import Manager

from app.config import ConfigError, Settings
from app.integrations.mailer import mail_folder

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
PROCESSES = ("web", "worker")


def main() -> int:
    """Serve until Ctrl-C and return the exit code."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    env = _environment(settings)
    subprocess.run(["flask", "--app", "wsgi", "db", "upgrade"], check=True, env=env, cwd=ROOT)
    honcho.manager.KILL_WAIT = STOP_TIMEOUT_S  # lets a job that is nearly done finish
    manager = Manager()
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    for name in PROCESSES:
        manager.add_process(name, f"exec {commands[name]}", env=env, cwd=str(ROOT))
    threading.Thread(target=_announce, args=(settings,), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode in (0, 130, 143) else 1


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the processes, with this virtual environment's commands first in PATH."""
    scripts = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PORT": str(settings.port),
        "WEB_CONCURRENCY": os.environ.get("WEB_CONCURRENCY", "1"),
        "PYTHONUNBUFFERED": "1",
    }


def _announce(settings: Settings) -> None:
    """Print the address once the web process answers."""
    until = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{settings.port}/healthz", timeout=1).close()
        except (URLError, OSError):
            time.sleep(0.1)
            continue
        mail = f"mail is written to {mail_folder(settings).resolve()}"
        mail = "mail goes out by SMTP" if settings.smtp_url else mail
        print(f"\n  Open {settings.base_url}  ({mail}; Ctrl-C stops)\n", flush=True)
        return


if __name__ == "__main__":
    sys.exit(main())
