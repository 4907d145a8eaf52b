"""A worker that dies: does one thing in a process of its own, says so, and waits to be killed.

`python -m tests.support.dying POINT ACCOUNT RUN`, where POINT is
reserved   after the commit that set aside;
settling   in the middle of settling: everything is written, nothing is committed;
settled    after the commit that settled.
"""

import signal
import subprocess
import sys
import time
from uuid import UUID

import django

PATIENCE_S = 20


def die_at(point, account, run_id, *, database_url, environment):
    """Let a process come to a point, and kill it there as a power cut would."""
    words = [sys.executable, "-m", "tests.support.dying", point, str(account.pk), str(run_id)]
    environment = {**environment, "DATABASE_URL": database_url, "TEST_KEEP_POOL": ""}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == f"{point}\n"
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def main(point, account_id, run_id):
    django.setup()
    from django.db import transaction  # noqa: PLC0415 needs the line above

    from apps.billing.models import BillingAccount  # noqa: PLC0415
    from apps.usage import ledger  # noqa: PLC0415
    from tests.usage.test_ledger import NOW, reserve, used  # noqa: PLC0415

    def wait_here():
        print(point, flush=True)  # noqa: T201 the signal that this point is reached
        time.sleep(PATIENCE_S)

    reserve(BillingAccount.objects.get(pk=account_id), UUID(run_id))
    if point == "reserved":
        wait_here()
    with transaction.atomic():
        ledger.settle(UUID(run_id), used(), now=NOW)
        if point == "settling":
            wait_here()
    wait_here()


if __name__ == "__main__":
    main(*sys.argv[1:])
