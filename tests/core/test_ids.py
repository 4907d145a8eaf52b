import pytest

from apps.accounts.models import User
from apps.core import ids


def test_keys_made_later_sort_later():
    keys = [ids.uuid7() for _ in range(100)]
    assert keys == sorted(keys)


@pytest.mark.django_db
def test_the_database_keeps_them():
    user = User.objects.create_user("ana@example.com", "correct horse")
    assert User.objects.get(pk=user.pk).email == "ana@example.com"
