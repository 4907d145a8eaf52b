import pytest

from apps.accounts import regions


@pytest.mark.parametrize("country", ["FR", "fr", "DE", "IS", "NO", "LI", "CH", "GB", "RE", "", "EUR", "1A", "?"])
def test_the_strict_rules_hold(country):
    assert regions.is_european(country)


@pytest.mark.parametrize("country", ["US", "us", "BR", "IN", "TR", "RS"])
def test_they_do_not_hold(country):
    assert not regions.is_european(country)


def test_the_union_has_27_members():
    assert len(regions.EUROPEAN_UNION) == 27
