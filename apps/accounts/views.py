import json
from typing import cast

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import consent, email_changes, notifications, passwords, profiles, proofs, sessions, signup
from apps.accounts.adapters import remember_language
from apps.accounts.forms import EmailCodesForm, EmailForm, NotificationsForm, ProfileForm, ProofForm, TrainingForm
from apps.accounts.models import Consent, EmailChange, User
from apps.core import clock
from apps.core.errors import Conflict, Invalid

EMAIL_CHANGES, PROOFS = "change_address", "send_proof"  # what the limiter counts
STRENGTHS = (
    gettext_lazy("guessed at once"),
    gettext_lazy("easy to guess"),
    gettext_lazy("nearly enough"),
    gettext_lazy("strong"),
    gettext_lazy("very strong"),
)


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
    context = {"section": "profile", "form": form}
    return render(request, "accounts/profile.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_notifications(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = NotificationsForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_valid():  # no tick at all is an answer, too
        notifications.change(user, form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("accounts:notifications")
    return render(request, "accounts/notifications.html", {"section": "notifications", "form": form})


@csrf_exempt  # mail programs press the button for their reader, without a cookie; the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def stop_mail(request: HttpRequest, token: str) -> HttpResponse:
    """End one kind of mail by the link in it; looking at it changes nothing, since scanners look at every link."""
    if request.method == "POST":
        notifications.stop(token)
        return render(request, "accounts/mail_stopped.html", {"is_stopped": True})
    notifications.require_link(token)
    return render(request, "accounts/mail_stopped.html", {"is_stopped": False})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def accept_terms(request: HttpRequest) -> HttpResponse:
    """Ask again where a text that was accepted has changed; until then there is no chat, and nothing else is closed."""
    user = cast(User, request.user)
    outdated = consent.outdated(user)
    if request.method == "POST":
        signup.accept(user, outdated, now=clock.now())
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "accounts/accept_terms.html", {"outdated": outdated})


@login_required
@require_POST
def answer_training(request: HttpRequest) -> HttpResponse:
    form = TrainingForm(request.POST)
    form.is_valid()  # a missing tick is an answer: no
    signup.answer_training(cast(User, request.user), given=form.cleaned_data["may_train"], now=clock.now())
    messages.success(request, _("Saved."))
    return redirect("privacy:data")


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request: HttpRequest) -> HttpResponse:
    """Ask for a code from each mailbox."""
    user, now = cast(User, request.user), clock.now()
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if refused := ratelimit.consume_or_429(request, action=EMAIL_CHANGES):
            return cast(HttpResponse, refused)
        try:
            email_changes.ask(user, form.cleaned_data["email"], now=now)
        except Invalid as error:
            form.add_error(error.field, str(error.sentence))
        else:
            return redirect("accounts:email")
    return _email_page(request, email_changes.find(user, now=now), form, EmailCodesForm())


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
@require_POST
def confirm_email(request: HttpRequest) -> HttpResponse:
    """Take the codes of both mailboxes."""
    user, now = cast(User, request.user), clock.now()
    codes = EmailCodesForm(request.POST)
    if codes.is_valid():
        this_session = request.session.session_key
        try:
            email_changes.confirm(user, **codes.cleaned_data, this_session=this_session, now=now)
        except Invalid as error:
            codes.add_error(error.field, str(error.sentence))
        except Conflict as error:
            messages.error(request, str(error.sentence))
            return redirect("accounts:email")
        else:
            messages.success(request, _("Your address was changed. You sign in with it from now on."))
            return redirect("accounts:profile")
    return _email_page(request, email_changes.find(user, now=now), EmailForm(), codes)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """Take the code of who has neither password nor passkey."""
    user, now = cast(User, request.user), clock.now()
    form = ProofForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if refused := ratelimit.consume_or_429(request, action="reauthenticate"):
            return cast(HttpResponse, refused)
        try:
            proofs.check(request, user, form.cleaned_data["code"], now=now)
        except (Conflict, Invalid) as error:
            form.add_error("code", str(error.sentence))
        else:
            return redirect(_next_of(request))
    context = {"form": form, "is_sent": proofs.is_sent(request, now=now), "next": _next_of(request)}
    return render(request, "accounts/prove.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def send_proof(request: HttpRequest) -> HttpResponse:
    if refused := ratelimit.consume_or_429(request, action=PROOFS):
        return cast(HttpResponse, refused)
    proofs.send(request, cast(User, request.user), now=clock.now())
    return redirect(f"{reverse('accounts:prove')}?{urlencode({'next': _next_of(request)})}")


def _next_of(request: HttpRequest) -> str:
    """Where to go on: an address of ours, whatever was written there."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("accounts:security")


@login_required
@require_POST
def drop_email_change(request: HttpRequest) -> HttpResponse:
    email_changes.drop(cast(User, request.user))
    return redirect("accounts:email")


def _email_page(
    request: HttpRequest, change: EmailChange | None, form: EmailForm, codes: EmailCodesForm
) -> HttpResponse:
    context = {"section": "profile", "change": change, "form": form, "codes": codes}
    return render(request, "accounts/email.html", context, status=400 if form.errors or codes.errors else 200)


@require_POST
def judge_password(request: HttpRequest) -> JsonResponse:
    """How a password that is being typed stands; it is kept nowhere."""
    try:
        told = json.loads(request.body)
        strength = passwords.judge(str(told["password"]), email=str(told.get("email", "")))
    except (ValueError, TypeError, KeyError, AttributeError):
        return JsonResponse({"score": 0, "is_enough": False, "word": ""}, status=400)
    word = _("known from a leak") if strength.is_breached else STRENGTHS[strength.score]
    return JsonResponse({"score": strength.score, "is_enough": strength.is_enough, "word": str(word)})


@login_required
@require_safe
def show_security(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    now = clock.now()
    sessions.note_seen(request.session.session_key, now=now)
    factors: dict[str, list[Authenticator]] = {kind: [] for kind in Authenticator.Type.values}
    for factor in Authenticator.objects.filter(user=user).order_by("created_at"):
        factors[factor.type].append(factor)
    codes = factors[Authenticator.Type.RECOVERY_CODES]
    context = {
        "section": "security",
        "factors": factors,
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else 0,
        "sessions": sessions.sessions_of(user, request.session.session_key),
    }
    return render(request, "accounts/security.html", context)


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    if not sessions.end_session(cast(User, request.user), pk):
        raise Http404
    messages.success(request, _("Signed out there."))
    return redirect("accounts:security")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    sessions.end_sessions(cast(User, request.user), but=request.session.session_key)
    messages.success(request, _("Signed out everywhere else."))
    return redirect("accounts:security")


@require_safe
def show_terms(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/terms.html", {"version": consent.VERSIONS[Consent.Kind.TERMS]})


@require_safe
def show_privacy_notice(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/privacy_notice.html", {"version": consent.VERSIONS[Consent.Kind.PRIVACY]})
