"""For the tests: like `local`, with cheap hashing. tests/conftest.py starts the services, at addresses computed here.

`DATABASE_URL` and `VALKEY_URL` replace the embedded servers. Each run has its own database name and Valkey, so that two
runs on one machine do not meet.
"""

import os
import socket
from pathlib import Path

from project import env


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_root = Path(__file__).resolve().parent.parent.parent
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
_folder = _root / ".local" / "test"
TEST_RUN = os.environ.setdefault("TEST_RUN", str(os.getpid()))
HAS_OWN_DATABASE = "DATABASE_URL" not in os.environ or os.environ.get("TEST_EMBEDDED_DATABASE") == TEST_RUN
HAS_OWN_VALKEY = "VALKEY_URL" not in os.environ or os.environ.get("TEST_EMBEDDED_VALKEY") == TEST_RUN
if "DATABASE_URL" not in os.environ:
    _socket_folder = str(_folder / "postgres").replace("/", "%2F")
    os.environ["DATABASE_URL"] = f"postgresql://postgres@{_socket_folder}/postgres"
    os.environ["TEST_EMBEDDED_DATABASE"] = TEST_RUN
if "VALKEY_URL" not in os.environ:
    os.environ["VALKEY_URL"] = f"redis://127.0.0.1:{_free_port()}/0"
    os.environ["TEST_EMBEDDED_VALKEY"] = TEST_RUN
if _worker:
    _number = 1 + int(_worker.removeprefix("gw"))
    os.environ["VALKEY_URL"] = os.environ["VALKEY_URL"].rpartition("/")[0] + f"/{_number}"

env.offer(
    {
        "SECRET_KEY": "test-only-not-a-secret-00000000000000000000000000000",
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRETS": "whsec_tests",
        "SITE_URL": "http://testserver",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
        "MODEL_BASE_URL": "http://127.0.0.1:9/v1",
        "CAUSERIE_LOG_LEVEL": "WARNING",
    }
)

from project.settings.base import *  # noqa: E402, F403
from project.settings.base import DATABASES, INSTALLED_APPS  # noqa: E402

LOCAL_TOOLS = True
LOCAL_DIR = _folder
INSTALLED_APPS = [*INSTALLED_APPS, "apps.localdev"]
DATABASES["default"]["TEST"] = {"NAME": f"test_causerie_{TEST_RUN}"}
if "TEST_KEEP_POOL" not in os.environ:  # the product's own processes keep their pool, the tests' process has none
    DATABASES["default"]["OPTIONS"] = {}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = _folder / f"mail-{TEST_RUN}{_worker}"
SERVESTATIC_USE_FINDERS = True
# Links to scripts that nobody serves: tests of plain pages need no build.
DJANGO_VITE = {"default": {"dev_mode": True}}
