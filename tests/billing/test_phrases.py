"""Limits in words."""

import pytest
from django.utils import translation

from apps.billing import phrases
from apps.billing.meters import Meter
from tests import build


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "20 messages every 3 hours with Causerie Small"),
        ({"amount": 1, "window": "1d"}, "1 message a day with Causerie Small"),
        ({"amount": None}, "Messages without limit with Causerie Small"),
        ({"amount": 0}, "Messages: not included"),
        ({"models": ()}, "20 messages every 3 hours"),
        ({"models": ("chat-small", "gone")}, "20 messages every 3 hours with Causerie Small + gone"),
        ({"meter": Meter.TOKENS, "amount": 1500, "window": "7d"}, "1,500 tokens a week with Causerie Small"),
        (
            {"models": ("chat-large",), "fallback_model": "chat-small"},
            "20 messages every 3 hours with Causerie Large, then Causerie Small answers",
        ),
    ],
)
def test_one_limit(fields, text):
    assert list(phrases.lines([build.limit(**fields)])) == [text]


WEEK = build.limit(amount=1500, window="7d")
DAY = build.limit(amount=400, window="1d")


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ([build.limit(), WEEK], ["20 messages every 3 hours and 1,500 a week with Causerie Small"]),
        ([WEEK, build.limit()], ["20 messages every 3 hours and 1,500 a week with Causerie Small"]),
        ([WEEK, DAY, build.limit()], ["20 messages every 3 hours, 400 a day and 1,500 a week with Causerie Small"]),
        ([build.limit(), build.limit(amount=None, window="7d")], ["20 messages every 3 hours with Causerie Small"]),
        (
            [build.limit(amount=None)] * 2,
            ["Messages without limit with Causerie Small"],
        ),
        ([build.limit(amount=0), build.limit(amount=0, window="7d")], ["Messages: not included"]),
        (
            [build.limit(), build.limit(models=("chat-large",)), WEEK],
            [
                "20 messages every 3 hours and 1,500 a week with Causerie Small",
                "20 messages every 3 hours with Causerie Large",
            ],
        ),
        (
            [build.limit(meter=Meter.TOKENS), WEEK],
            ["20 tokens every 3 hours with Causerie Small", "1,500 messages a week with Causerie Small"],
        ),
    ],
)
def test_limits_of_the_same_meter_and_models_are_one_line(limits, found):
    assert list(phrases.lines(limits)) == found


def test_in_french():
    with translation.override("fr"):
        [line] = phrases.lines([build.limit(), WEEK])
    assert line == "20 messages toutes les 3 heures et 1\xa0500 par semaine avec Causerie Small"


@pytest.mark.parametrize(
    ("window", "text"),
    [("1m", "a minute"), ("90m", "every 90 minutes"), ("1h", "an hour"), ("7d", "a week"), ("14d", "every 2 weeks")],
)
def test_a_window(window, text):
    assert phrases.period(window) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (60, "a minute"), (5_400, "every 90 minutes"), (10_800, "every 3 hours"), (604_800, "a week")],
)
def test_a_window_in_seconds(seconds, text):
    assert phrases.period_s(seconds) == text
