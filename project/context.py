"""What every template may show: the site's name, and whether its money is play money."""

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, object]:
    """Name, address and the two local facts a person must see."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "is_sandbox_money": settings.STRIPE_API_BASE != settings.STRIPE_API,
        "has_local_tools": settings.LOCAL_TOOLS,
    }
