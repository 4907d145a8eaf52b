from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.localdev import mailbox


def list_letters(request: HttpRequest) -> HttpResponse:
    return render(request, "localdev/mailbox.html", {"letters": mailbox.letters(settings.EMAIL_FILE_PATH)})


def show_letter(request: HttpRequest, key: str) -> HttpResponse:
    letter = mailbox.find_letter(settings.EMAIL_FILE_PATH, key)
    if letter is None:
        raise Http404
    return render(request, "localdev/letter.html", {"letter": letter})
