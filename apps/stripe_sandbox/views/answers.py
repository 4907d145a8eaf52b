"""How pages answer."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET


class SeeOther(HttpResponseRedirect):
    """After a form: look elsewhere, with GET."""

    status_code = 303


def show(request: HttpRequest, page: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    """Draw a page that no cache keeps."""
    response = render(request, f"stripe_sandbox/{page}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; img-src 'self' data:"
    return response


def say(request: HttpRequest, title: str, text: str, *, back: str | None = None, status: int = 200) -> HttpResponse:
    """Draw a page with one message and a way on."""
    return show(request, "message", {"title": title, "text": text, "back": back}, status=status)


def speak(request: HttpRequest, locale: str | None) -> None:
    """Use the language that a session was made for; otherwise the reader's own stays."""
    if locale in dict(settings.LANGUAGES):
        translation.activate(str(locale))
        request.LANGUAGE_CODE = locale


def say_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    text = _("The address is incomplete, or the sandbox was emptied since.")
    return say(request, _("There is nothing here"), text, back="/_sandbox", status=404)


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    """Give the one style sheet."""
    response = render(request, "stripe_sandbox/style.css", content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "max-age=300"
    return response
