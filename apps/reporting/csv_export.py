"""Files of rows: streamed page by page, exact, and harmless to open in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

from asgiref.sync import sync_to_async

from apps.core.money import MICRO
from apps.reporting.metrics.rows import Cell, Column, Kind, Row, Rows

PAGE = 1000
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet would take such a cell for a formula
IN_MILLIONTHS = (Kind.MONEY, Kind.RATIO, Kind.TIMES)
MICRO_EXACTLY = Decimal(1).scaleb(-6)


async def stream(rows: Rows) -> AsyncIterator[bytes]:
    """The file, for an event loop: a header, then a page of rows at a time, so that memory stays the same."""
    yield header(rows)
    after = ""
    while page := await sync_to_async(rows.page)(after, PAGE):
        yield b"".join(line(rows.columns, row) for row in page)
        after = page[-1].key


def header(rows: Rows) -> bytes:
    """The first line."""
    return _line([column.name for column in rows.columns])


def line(columns: tuple[Column, ...], row: Row) -> bytes:
    """One row: dot decimals in major units, days and times as ISO 8601 in UTC."""
    return _line([written(cell, column.kind) for cell, column in zip(row.cells, columns, strict=True)])


def written(cell: Cell, kind: Kind) -> str:
    """One cell. Text that a spreadsheet would run gets a leading apostrophe; numbers are numbers."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int):
        return str((Decimal(cell) / MICRO).quantize(MICRO_EXACTLY)) if kind in IN_MILLIONTHS else str(cell)
    return f"'{cell}" if cell.startswith(RISKY) else cell


def _line(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()
