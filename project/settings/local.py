"""One machine, everything local: what `manage.py up` and the commands beside it use.

The addresses that `up` chose stand in `.local/env.json`; a variable in the environment goes before them.
"""

import json
from pathlib import Path

from project import env

_root = Path(__file__).resolve().parent.parent.parent
_local = Path(env.text("CAUSERIE_LOCAL_DIR", str(_root / ".local")))
if (_local / "env.json").is_file():
    env.offer(json.loads((_local / "env.json").read_text(encoding="utf-8")))
env.offer({"SECRET_KEY": "local-only-not-a-secret-0000000000000000000000000000", "CAUSERIE_PLAIN_LOGS": "yes"})

from project.settings.base import *  # noqa: E402, F403
from project.settings.base import INSTALLED_APPS, LOCAL_DIR  # noqa: E402

LOCAL_TOOLS = True
INSTALLED_APPS = [*INSTALLED_APPS, "apps.localdev"]
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = LOCAL_DIR / "mail"
WHITENOISE_USE_FINDERS = True
env.refuse_unknown()
