from datetime import UTC, date, datetime

import pytest
from asgiref.sync import async_to_sync

from apps.reporting import csv_export
from apps.reporting.metrics.rows import Column, FixedRows, Kind

COLUMNS = (Column("who", "Who"), Column("amount", "Amount", Kind.MONEY), Column("how_many", "How many", Kind.COUNT))


async def collect(stream):
    return b"".join([piece async for piece in stream])


def written(*cells):
    return async_to_sync(collect)(csv_export.stream(FixedRows(COLUMNS, cells))).decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_spreadsheet_runs_nothing(start):
    assert csv_export.written(f"{start}HYPERLINK(1)", Kind.TEXT) == f"'{start}HYPERLINK(1)"


def test_numbers_stay_numbers_also_below_nothing():
    assert csv_export.written(-1_750_005, Kind.MONEY) == "-1.750005"
    assert csv_export.written(-3, Kind.COUNT) == "-3"
    assert csv_export.written(8_000_000, Kind.MONEY) == "8.000000"


def test_days_and_times_are_iso_and_utc():
    assert csv_export.written(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), Kind.TIME) == "2026-03-02T09:00:00Z"
    assert csv_export.written(date(2026, 3, 2), Kind.DAY) == "2026-03-02"
    assert csv_export.written(None, Kind.COUNT) == ""


def test_a_header_then_each_row_with_quotes_where_needed():
    assert written(('a "b", c', 5, 1), ("=1+1", 10**6, 2)) == (
        'who,amount,how_many\r\n"a ""b"", c",0.000005,1\r\n\'=1+1,1.000000,2\r\n'
    )


def test_a_long_file_has_every_row_once(monkeypatch):
    monkeypatch.setattr(csv_export, "PAGE", 7)
    lines = written(*[(f"row {number}", number, number) for number in range(50)]).splitlines()
    assert [line.rpartition(",")[2] for line in lines[1:]] == [str(number) for number in range(50)]
