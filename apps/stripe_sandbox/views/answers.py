"""How pages answer."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
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


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    """Give the one style sheet."""
    response = render(request, "stripe_sandbox/style.css", content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "max-age=300"
    return response
