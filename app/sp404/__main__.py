"""Projects of the SP-404MKII from a shell.

python -m app.sp404 read DIR|ZIP|PADCONF.BIN [--project FOLDER] [--json]
python -m app.sp404 copy DIR OUT [--project FOLDER]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app.sp404.errors import UnitFileError
from app.sp404.project.project_json import project_to_dict
from app.sp404.project.project_reader import read_project
from app.sp404.project.project_text import describe_project
from app.sp404.project.project_writer import write_project
from app.sp404.project.unit_project import UnitProject


def main() -> int:
    """Run the command that the command line names; return 1 when its input can't be read, else 0."""
    options = _parser().parse_args()
    try:
        project = read_project(options.source, options.project)
        if options.command == "copy":
            write_project(project, options.out)
    except UnitFileError as error:
        sys.stderr.write(f"{error}\n")
        return 1
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
    return parser


if __name__ == "__main__":
    sys.exit(main())
