"""Tables that open in a spreadsheet, where a cell of somebody's text is never a formula."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO

from app.admin.costs import COLUMNS, Report

# What a spreadsheet may take for the start of a formula, with the wide forms that some turn into it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

WORKED_OUT = ("overage_usd", "cost_usd", "margin_usd")


def of_costs(report: Report) -> str:
    """One line for each user who used or cost anything in the month."""
    file = StringIO()
    table = csv.writer(file)
    table.writerow(("month", "email", "plan", *COLUMNS, *WORKED_OUT))
    for line in report.users:
        values = (_plain(getattr(line.figures, name)) for name in (*COLUMNS, *WORKED_OUT))
        table.writerow((report.month.name, as_text(line.email), line.plan.name, *values))
    return file.getvalue()


def as_text(words: str) -> str:
    return f"'{words}" if words.lstrip(" ").startswith(FORMULA) else words


def _plain(number: int | Decimal) -> str:
    """Never 1E-7, which is text to some."""
    return str(number) if isinstance(number, int) else f"{number:f}"
