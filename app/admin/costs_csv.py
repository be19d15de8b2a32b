"""Tables that open in a spreadsheet, where a cell of somebody's text is never a formula."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO

from app.admin.costs import COLUMNS, CostReport

# What a spreadsheet may take for the start of a formula, with the wide forms that some turn into it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

DERIVED_COLUMNS = ("overage_usd", "cost_usd", "margin_usd")


def render_costs_csv(report: CostReport) -> str:
    """One line for each user who used or cost anything in the month."""
    file = StringIO()
    table = csv.writer(file)
    table.writerow(("month", "email", "plan", *COLUMNS, *DERIVED_COLUMNS))
    for line in report.users:
        values = (_plain_number(getattr(line.figures, name)) for name in (*COLUMNS, *DERIVED_COLUMNS))
        table.writerow((report.month.name, escape_formula(line.email), line.plan.name, *values))
    return file.getvalue()


def escape_formula(words: str) -> str:
    return f"'{words}" if words.lstrip(" ").startswith(FORMULA_STARTS) else words


def _plain_number(number: int | Decimal) -> str:
    """Never 1E-7, which is text to some."""
    return str(number) if isinstance(number, int) else f"{number:f}"
