"""Write the cost report as CSV for a spreadsheet, with text escaped so that no cell becomes a formula."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO

from app.admin.costs import COLUMNS, CostReport

# A cell that starts like this may be run as a formula. Some programs also convert the full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

DERIVED_COLUMNS = ("overage_usd", "cost_usd", "margin_usd")


def render_costs_csv(report: CostReport) -> str:
    """Return the CSV: one line for each user who used or cost anything in the month."""
    file = StringIO()
    table = csv.writer(file)
    table.writerow(("month", "email", "plan", *COLUMNS, *DERIVED_COLUMNS))
    for line in report.users:
        values = (_plain_number(getattr(line.figures, name)) for name in (*COLUMNS, *DERIVED_COLUMNS))
        table.writerow((report.month.name, escape_formula(line.email), line.plan.name, *values))
    return file.getvalue()


def escape_formula(words: str) -> str:
    """Put a quote before a text that a spreadsheet may run as a formula."""
    return f"'{words}" if words.lstrip(" ").startswith(FORMULA_STARTS) else words


def _plain_number(number: int | Decimal) -> str:
    """Write a number without an exponent: some spreadsheets read 1E-7 as text."""
    return str(number) if isinstance(number, int) else f"{number:f}"
