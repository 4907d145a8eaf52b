from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.localdev import mailbox

LETTER_POLICY = (
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "frame-ancestors 'self'",
    "sandbox allow-top-navigation-by-user-activation",
)


def list_letters(request: HttpRequest) -> HttpResponse:
    return render(request, "localdev/mailbox.html", {"letters": mailbox.letters(settings.EMAIL_FILE_PATH)})


def show_letter(request: HttpRequest, key: str) -> HttpResponse:
    letter = mailbox.find_letter(settings.EMAIL_FILE_PATH, key)
    if letter is None:
        raise Http404
    return render(request, "localdev/letter.html", {"letter": letter})


def show_page(request: HttpRequest, key: str) -> HttpResponse:
    """The letter as a mail program shows it, for a frame of the page above: no script, and styles of its own."""
    letter = mailbox.find_letter(settings.EMAIL_FILE_PATH, key)
    if letter is None or not letter.html:
        raise Http404
    response = HttpResponse(letter.html.replace("<head>", '<head><base target="_top">', 1))
    response["Content-Security-Policy"] = "; ".join(LETTER_POLICY)
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
