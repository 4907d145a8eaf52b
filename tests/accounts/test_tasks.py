from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from apps.accounts import tasks
from apps.core import clock


@pytest.mark.django_db
def test_only_sessions_that_ended_are_cleared():
    now = clock.now()
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="new", session_data="", expire_date=now + timedelta(hours=1))
    tasks.clear_sessions()
    assert [session.pk for session in Session.objects.all()] == ["new"]
