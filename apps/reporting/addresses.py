"""The addresses of the reports' own pages."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.urls import reverse

from apps.reporting.days import Period


def rows_of(slug: str, period: Period, only: Mapping[str, str], currency: str = "") -> str:
    """Where the rows behind a figure are: of a period, of a part of the customers, of one currency."""
    asked = {"from": str(period.first), "to": str(period.last)} | ({"currency": currency} if currency else {})
    return f"{reverse('reporting:rows', args=[slug])}?{urlencode(asked | dict(only))}"
