"""What the person's archive holds of the API, and what leaves with the person."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.developer.models import ApiKey

FIELDS = ("name", "hint", "created_at", "last_used_at", "expires_at", "revoked_at")


class ApiKeysData:
    """Names and dates of keys; their secrets are kept nowhere."""

    slug = "api-keys"
    title = _("API keys")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        """Every key with its dates."""
        yield "keys", list(ApiKey.objects.filter(account__owner=user).order_by("created_at").values(*FIELDS))

    def erase(self, user: User, *, now: datetime) -> int:
        """Delete every key: none opens a door from then on."""
        deleted, _by_model = ApiKey.objects.filter(account__owner=user).delete()
        return deleted
