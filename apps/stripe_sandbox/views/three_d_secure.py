"""The page where a bank would ask its customer."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.stripe_sandbox import challenges
from apps.stripe_sandbox.views.answers import SeeOther, say, show


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Show both buttons, or act on one."""
    with transaction.atomic():
        intent = challenges.find_intent(key)
        if intent is None:
            text = _("The address is incomplete, or the sandbox was emptied since.")
            return say(request, _("There is no such payment"), text, status=404)
        if not challenges.is_waiting(intent):
            back = challenges.way_back(intent)
            return say(request, _("Nothing to confirm"), _("This payment is not waiting any more."), back=back)
        if request.method == "POST":
            agrees = request.POST.get("answer") == "complete"
            return SeeOther(challenges.complete(intent) if agrees else challenges.refuse(intent))
    return show(request, "three_d_secure", {"intent": intent})
