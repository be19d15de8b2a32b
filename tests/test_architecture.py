"""The shape of the code: imports run one way, names are unique, and routes need a sign-in."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from flask import Flask

from app.config import Settings
from app.security import PUBLIC_ENDPOINTS

ROOT = Path(__file__).resolve().parent.parent

# Outermost first. A module imports only from rings below its own, or from its own package.
RINGS = [
    {"wsgi", "app.worker"},
    {"app"},  # create_app, which loads the factory when it is called
    {"app.factory"},
    {"app.cli", "app.errors", "app.api.errors", "app.request_watch", "app.security", "app.templating"}
    | {"app.static_files"}
    | {"*.routes", "*.forms", "*_views", "*_forms"}
    | {"app.api.serving", "app.kits.kit_page", "app.shaping.shaping_page"},
    {"app.mail_wakeup"},
    {"tasks"},
    {"app.backup", "app.imports"},
    {
        "app.account",
        "app.admin",
        "app.alike",
        "app.api",
        "app.auth",
        "app.library",
        "app.pages",
        "app.reprocessing",
        "app.upload",
        "app.webhooks",
    },
    {"app.cards"},
    {"app.kits"},
    {"app.collections", "app.deduplication", "app.shaping"},
    {"app.jobs", "app.search"},
    {"app.ai"},
    {"app.billing", "app.notify"},
    {"app.models", "app.queue"},
    {"app.engine"},
    {"app.sandbox", "app.sp404", "app.vibe", "app.integrations"},
    {"app.audio"},
    {"app.music", "app.sandbox.isolation"},
    {
        "app.download_names",
        "app.extensions",
        "app.form_responses",
        "app.logs",
        "app.mail_addresses",
        "app.negotiation",
        "app.plurals",
        "app.csv_tables",
    },
    {"app.rate_limits", "app.tracing"},
    {"app.config"},
]
PURE = ("app.audio", "app.music", "app.sp404", "app.vibe")
NOT_FOR_PURE = {"flask", "sqlalchemy", "huey", "redis", "httpx", "boto3", "requests"}
SDK_OWNERS = {
    "cryptography": "app.backup.backup_contents",
    "boto3": "app.integrations.storage.s3_store",
    "email_validator": "app.mail_addresses",
    "httpx": "app.engine.http_stream app.integrations.webhook_client app.integrations.openrouter.chat_client",
    "humanize": "app.plurals app.templating",
    "opentelemetry": "app.tracing",
    "prometheus_client": "app.admin.metrics app.admin.machine_metrics app.admin.request_metrics",
    "mido": "app.sp404.project.midi_reader app.sp404.project.midi_writer",
    "argon2": "app.auth.passwords",
    "pyotp": "app.auth.two_factor_login",
    "segno": "app.auth.two_factor_login",
    "smtplib": "app.integrations.mailer app.integrations.smtp_connection",
    "standardwebhooks": "app.notify.webhook_delivery",
    "stripe": "app.integrations.payments",
    "zxcvbn": "app.auth.passwords",
}


def modules() -> dict[str, ast.Module]:
    files = [ROOT / "wsgi.py", ROOT / "tasks.py", *(ROOT / "app").rglob("*.py")]
    return {_name(path): ast.parse(path.read_text()) for path in files}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module) -> list[str]:
    """Return the full name of everything a module imports, also inside its functions."""
    found: list[str] = []
    for node in _run_time_nodes(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            known = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name if name in NAMES else node.module for name in known]
    return found


def _run_time_nodes(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes but those below `if TYPE_CHECKING`, which never run."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            found += [node, *_run_time_nodes(node)]
    return found


NAMES = {_name(path) for path in (ROOT / "app").rglob("*.py")} | {"wsgi", "tasks"}
MODULES = modules()


def ring(module: str) -> int:
    for depth, members in enumerate(RINGS):
        if any(fnmatchcase(module, member) for member in members):
            return depth
    return ring(module.rsplit(".", 1)[0])


def package(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module: str) -> None:
    ours = [name for name in imports(MODULES[module]) if name.split(".")[0] in {"app", "tasks", "wsgi"}]
    upward = [
        name
        for name in ours
        if ring(name) <= ring(module) and not (package(name) == package(module) != "app")
    ]
    assert upward == [], f"{module} imports {upward}, which is not below it"


def test_there_is_no_import_circle() -> None:
    graph = {name: {other for other in imports(tree) if other in NAMES} for name, tree in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' → '.join((*path, name))}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", sorted(name for name in NAMES if name.startswith(PURE)))
def test_pure_packages_import_neither_web_nor_database(module: str) -> None:
    known = {name.split(".")[0] for name in imports(MODULES[module])}
    assert known & NOT_FOR_PURE == set()


def test_only_its_own_module_imports_a_vendor() -> None:
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for vendor, owner in SDK_OWNERS.items():
                imported = any(name.split(".")[0] == vendor for name in names)
                is_owner = any(f"{module}.".startswith(f"{one}.") for one in owner.split())
                assert not imported or is_owner, f"{module} imports {vendor}"


def test_feature_packages_are_empty() -> None:
    for path in (ROOT / "app").glob("*/__init__.py"):
        assert path.parent.name == "models" or path.read_text() == "", path


# Any feature may have these: they are always named together with their package.
SHARED_NAMES = {"__init__", "__main__", "errors", "forms", "routes"}


def test_no_two_modules_share_a_name() -> None:
    names = Counter(name.rsplit(".", 1)[-1] for name in NAMES if name.startswith("app."))
    assert {name for name, count in names.items() if count > 1} - SHARED_NAMES == set()


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for module, tree in MODULES.items():
        if module.rsplit(".", 1)[-1] not in SHARED_NAMES:
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def _loaded_by(statement: str, *names: str) -> str:
    """Return which of the named modules a fresh process has loaded after a statement."""
    check = f"{statement}; import sys; print([name for name in {names!r} if name in sys.modules])"
    env = {"DATA_DIR": "/tmp/none-such", "PATH": "/usr/bin"}
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT, env=env)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_importing_the_package_alone_loads_nothing() -> None:
    assert _loaded_by("import app", "flask", "numpy", "sqlalchemy") == "[]"


def test_importing_the_models_loads_no_http_client() -> None:
    clients = ("httpx", "requests", "urllib3", "boto3", "botocore", "stripe")
    assert _loaded_by("import app.models", *clients) == "[]"


def test_the_web_process_never_loads_the_engine(tmp_path: Path) -> None:
    statement = f"import os; os.environ['DATA_DIR'] = {str(tmp_path)!r}; import wsgi"
    assert _loaded_by(statement, "librosa", "numba", "numpy", "scipy") == "[]"


def test_without_traces_nothing_is_loaded_for_them(tmp_path: Path) -> None:
    """Redis's own client looks for OpenTelemetry's metrics, so it is the parts for traces that count."""
    statement = f"import os; os.environ['DATA_DIR'] = {str(tmp_path)!r}; import app.worker, wsgi"
    parts = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "google.protobuf")
    assert _loaded_by(statement, *parts) == "[]"


def test_every_route_needs_a_signed_in_user_or_is_listed_as_public(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints >= PUBLIC_ENDPOINTS
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC_ENDPOINTS:
            continue
        path = re.sub(r"<any\([^)]*\):factor>", "half", rule.rule)
        path = re.sub(r"<[^>]+>", "x", path)
        answer = client.get(path) if "GET" in (rule.methods or ()) else client.post(path)
        if rule.endpoint.startswith("api."):
            answer = client.open(path, method=next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})))
            assert (answer.status_code, answer.content_type) == (401, "application/problem+json"), rule
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), rule
            continue
        assert answer.status_code == 303, f"{rule.endpoint} answered {answer.status_code}"
        assert "/sign-in" in answer.headers["Location"]


def test_every_setting_is_in_the_readme() -> None:
    table = re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(name.upper() for name in Settings.model_fields)


def test_there_is_one_migration_head() -> None:
    down, all_revisions = set(), set()
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        text = path.read_text()
        all_revisions |= set(re.findall(r'^revision = "(\w+)"', text, re.MULTILINE))
        down |= set(re.findall(r'^down_revision = "(\w+)"', text, re.MULTILINE))
    assert len(all_revisions - down) == 1


def test_templates_need_nothing_unsafe() -> None:
    forbidden = re.compile(r"\sstyle=|\son[a-z]+=|hx-on|hx-vals=['\"]js:|<script>|<style")
    for path in (ROOT / "templates").rglob("*.html"):
        assert not forbidden.search(path.read_text()), path
