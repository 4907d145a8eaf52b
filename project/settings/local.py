"""One machine, everything local: what `manage.py up` and the commands beside it use.

The addresses that `up` chose stand in `.local/env.json`; a variable in the environment goes before them.
"""

import json
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from project import env

_root = Path(__file__).resolve().parent.parent.parent
_local = Path(env.text("CAUSERIE_LOCAL_DIR", str(_root / ".local")))
if (_local / "env.json").is_file():
    env.offer(json.loads((_local / "env.json").read_text(encoding="utf-8")))
env.offer({"SECRET_KEY": "local-only-not-a-secret-0000000000000000000000000000", "CAUSERIE_PLAIN_LOGS": "yes"})
# Read by the model server alone, which does not load the settings; named here so that it is not taken for a mistake.
env.text("MODEL_FILE", "")

from project.settings.base import *  # noqa: E402, F403
from project.settings.base import INSTALLED_APPS, LOCAL_DIR, STRIPE_SECRET_KEY  # noqa: E402

if STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_")):
    raise ImproperlyConfigured("STRIPE_SECRET_KEY is a live key. Local settings take test keys only.")

LOCAL_TOOLS = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # http://localhost; browsers keep passkeys for no other plain address
INSTALLED_APPS = [*INSTALLED_APPS, "apps.localdev"]
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = LOCAL_DIR / "mail"
SERVESTATIC_USE_FINDERS = True
env.refuse_unknown()
