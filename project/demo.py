"""In a demonstration everybody may look and nobody may change anything: its people and money are invented."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from apps.core import answers
from apps.core.errors import NotAllowed

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Coming, going and reading in another language; and the local Stripe, whose signed events made the invented people.
STILL_OPEN = frozenset(
    {"admin:login", "admin:logout", "account_login", "account_logout", "set_language", "billing:webhook"}
)


class DemoMiddleware(MiddlewareMixin):
    """Refuses what would change something; it is there in a demonstration only."""

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        """Called by Django when it knows which page is asked for."""
        match = request.resolver_match
        if request.method in SAFE or (match is not None and match.view_name in STILL_OPEN):
            return None
        sentence = _(
            "This is a demonstration with invented people and money: look at everything, nothing can be changed."
        )
        return answers.answer_error(request, NotAllowed(sentence))


def name_place(_request: HttpRequest) -> list[str] | None:
    """What the admin writes beside its name, as unfold reads it."""
    return [_("Demonstration"), "warning"] if settings.IS_DEMO else None
