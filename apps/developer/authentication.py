"""Who calls the API: a bearer key and nothing else; a browser's session opens no door here."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Unauthenticated
from apps.developer import keys
from apps.developer.models import ApiKey

LONGEST_SECRET = 200


def authenticate(authorization: str, *, now: datetime) -> ApiKey:
    """Find the key that an Authorization header names, and note its use.

    Raises  Unauthenticated `invalid_api_key`: none, malformed, unknown, revoked or expired; which, is not said.
    """
    scheme, _space, secret = authorization.strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        sentence = _("Send your API key in the Authorization header: “Authorization: Bearer ck-…”.")
        raise Unauthenticated(sentence, code="invalid_api_key")
    key = keys.find_key(secret, now=now) if len(secret) <= LONGEST_SECRET else None
    if key is None:
        sentence = _("This API key is not valid. Check it, or make a new one in your settings.")
        raise Unauthenticated(sentence, code="invalid_api_key")
    keys.note_use(key, now=now)
    return key
