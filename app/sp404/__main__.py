"""Projects and cards of the SP-404MKII from a shell.

python -m app.sp404 read DIR|ZIP|PADCONF.BIN [--project FOLDER] [--json]
python -m app.sp404 copy DIR OUT [--project FOLDER]
python -m app.sp404 write kit.json OUTDIR --target mk2|import|sx|sfz|xpm|wav|midi [--target …] [--number N]
python -m app.sp404 check DIR|ZIP
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app.sp404.card.card_options import TARGETS
from app.sp404.errors import UnitFileError
from app.sp404.preflight.card_check import check_files
from app.sp404.preflight.findings import has_errors
from app.sp404.project.project_json import project_to_dict
from app.sp404.project.project_reader import read_project
from app.sp404.project.project_text import describe_project
from app.sp404.project.project_writer import write_project
from app.sp404.project.unit_project import UnitProject


def main() -> int:
    """Run the command that the command line names; return 1 when its input can't be read, else 0."""
    options = _parser().parse_args()
    try:
        return int(options.run(options))
    except UnitFileError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run_project(options: argparse.Namespace) -> int:
    """Show or copy a project."""
    project = read_project(options.source, options.project)
    if options.command == "copy":
        write_project(project, options.out)
    sys.stderr.writelines(f"{problem}\n" for problem in project.problems)
    if options.command == "read":
        sys.stdout.write(_shown(project, options.json))
    return 0


def _shown(project: UnitProject, as_json: bool) -> str:
    if as_json:
        return json.dumps(project_to_dict(project), ensure_ascii=False, indent=1) + "\n"
    return describe_project(project)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.sp404", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    read = commands.add_parser("read", help="show a project")
    read.add_argument("source", type=Path, metavar="DIR|ZIP|PADCONF.BIN")
    read.add_argument("--json", action="store_true", help="as JSON")
    copy = commands.add_parser("copy", help="read a project and write it again")
    copy.add_argument("source", type=Path, metavar="DIR")
    copy.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    for command in (read, copy):
        command.add_argument("--project", metavar="FOLDER", help="which one, where there are several")
        command.set_defaults(run=_run_project)
    _add_card_commands(commands)
    return parser


def _add_card_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    write = commands.add_parser("write", help="write a card from a kit.json and the sounds beside it")
    write.add_argument("source", type=Path, metavar="kit.json")
    write.add_argument("out", type=Path, metavar="OUTDIR", help="a new folder")
    write.add_argument(
        "--target", choices=TARGETS, action="append", required=True, help="several are possible"
    )
    write.add_argument("--number", type=int, default=1, metavar="N", help="of the project, 1 to 16")
    write.set_defaults(run=_write_card)
    check = commands.add_parser("check", help="check a card's folder or ZIP; 1 when there is an error")
    check.add_argument("source", type=Path, metavar="DIR|ZIP")
    check.set_defaults(run=_check_card)


def _write_card(options: argparse.Namespace) -> int:
    from app.sp404.card.card_command import write_card  # it loads the engine, which takes seconds

    return write_card(options)


def _check_card(options: argparse.Namespace) -> int:
    findings = check_files(options.source)
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return int(has_errors(findings))


if __name__ == "__main__":
    sys.exit(main())
