from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import consent, profiles, signup
from apps.accounts.adapters import remember_language
from apps.accounts.forms import ProfileForm, TrainingForm
from apps.accounts.models import Consent, User
from apps.core import clock


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_profile(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        profiles.update(user, form.cleaned_data)
        with override(user.language or get_language()):
            messages.success(request, _("Saved."))
        return remember_language(redirect("accounts:profile"), user)
    training = TrainingForm(initial={"may_train": consent.may_train(user)})
    context = {"section": "profile", "form": form, "training": training}
    return render(request, "accounts/profile.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def answer_training(request: HttpRequest) -> HttpResponse:
    form = TrainingForm(request.POST)
    form.is_valid()  # a missing tick is an answer: no
    signup.answer_training(cast(User, request.user), given=form.cleaned_data["may_train"], now=clock.now())
    messages.success(request, _("Saved."))
    return redirect("accounts:profile")


@require_safe
def show_terms(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/terms.html", {"version": consent.VERSIONS[Consent.Kind.TERMS]})


@require_safe
def show_privacy_notice(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/privacy_notice.html", {"version": consent.VERSIONS[Consent.Kind.PRIVACY]})
