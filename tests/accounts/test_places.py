"""apps/accounts/places.py"""

import pytest

from apps.accounts import places


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.142", "GB"),
        ("8.8.8.8", "US"),
        ("2a01:e00::1", "FR"),
        ("127.0.0.1", ""),
        ("10.1.2.3", ""),
        ("::1", ""),
        ("not an address", ""),
    ],
)
def test_says_the_country_where_one_is_known(address, country):
    assert places.country_of(address) == country
