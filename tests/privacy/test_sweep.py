from datetime import timedelta

import pytest

from apps.privacy import erasures, exports, sweep
from tests import cast
from tests.build import NOW

pytestmark = pytest.mark.django_db


def test_takes_up_what_is_due_and_leaves_what_is_not(django_capture_on_commit_callbacks):
    export = exports.ask_export(cast.ana(), now=NOW)
    erasures.ask_erasure(cast.ben(), now=NOW + timedelta(minutes=1))
    assert sweep.nudge_due(now=NOW - timedelta(seconds=1)) == 0
    assert sweep.nudge_due(now=NOW) == 1
    assert sweep.nudge_due(now=NOW + timedelta(minutes=1)) == 2
    exports.make_archive(export.pk, now=NOW)
    assert sweep.nudge_due(now=NOW + timedelta(hours=1)) == 1
