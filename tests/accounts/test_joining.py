"""apps/accounts/joining.py: throw-away addresses and bursts of sign-ups."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts import joining
from apps.core.errors import Invalid, Unavailable

NOW = datetime(2026, 3, 2, 9, 40, tzinfo=UTC)
HERE, NEXT_DOOR, ELSEWHERE = "81.2.69.142", "81.2.69.7", "8.8.8.8"


@pytest.mark.parametrize("email", ["a@mailinator.com", "a@MAILINATOR.com", "a@eu.mailinator.com"])
def test_a_throw_away_address_is_refused(email):
    with pytest.raises(Invalid) as refused:
        joining.require_lasting_address(email)
    assert (refused.value.code, refused.value.field) == ("disposable_address", "email")


@pytest.mark.parametrize("email", ["a@example.org", "a@xmailinatorx.example", "a@mailinator.com.example.org"])
def test_another_address_is_taken(email):
    joining.require_lasting_address(email)


def test_the_operator_says_which_domains(settings):
    settings.SIGNUP_ALLOWED_DOMAINS, settings.SIGNUP_REFUSED_DOMAINS = ["mailinator.com"], ["bad.example"]
    joining.require_lasting_address("a@mailinator.com")
    with pytest.raises(Invalid):
        joining.require_lasting_address("a@sub.bad.example")
    settings.SIGNUP_REFUSE_DISPOSABLE = False
    joining.require_lasting_address("a@sub.bad.example")


def fill(settings, *, nearby=2, site=100):
    settings.SIGNUPS_PER_HOUR_NEARBY, settings.SIGNUPS_PER_HOUR = nearby, site
    for _ in range(2):
        joining.count_in(HERE, now=NOW)


def test_a_burst_from_one_network_is_told_when_to_come_back(settings):
    fill(settings)
    with pytest.raises(Unavailable) as refused:
        joining.count_in(NEXT_DOOR, now=NOW)
    assert (refused.value.code, refused.value.wait_s) == ("too_many_signups", 20 * 60 + 1)
    assert "21 minutes" in str(refused.value.sentence)
    joining.count_in(ELSEWHERE, now=NOW)


def test_the_next_hour_begins_anew(settings):
    fill(settings)
    joining.count_in(HERE, now=NOW + timedelta(minutes=20))


def test_a_burst_on_the_whole_site_stops_everybody(settings):
    fill(settings, nearby=50, site=2)
    with pytest.raises(Unavailable):
        joining.count_in(ELSEWHERE, now=NOW)


@pytest.mark.parametrize(
    ("one", "other", "are_neighbours"),
    [
        ("2001:4860:4860::1", "2001:4860:4860:ffff::2", True),
        ("2001:4860:4860::1", "2001:4860:4861::1", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("10.0.0.7", "10.0.0.7", False),
    ],
)
def test_who_is_a_neighbour(settings, one, other, are_neighbours):
    settings.SIGNUPS_PER_HOUR_NEARBY = 1
    joining.count_in(one, now=NOW)
    if are_neighbours:
        with pytest.raises(Unavailable):
            joining.count_in(other, now=NOW)
    else:
        joining.count_in(other, now=NOW)
