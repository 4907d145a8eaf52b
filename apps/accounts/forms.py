from typing import Any, ClassVar, cast
from zoneinfo import available_timezones

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.account.internal import flows
from allauth.core import context
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.forms import SignupForm as SocialForm
from django import forms
from django.conf import settings
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from apps.accounts import guests, joining, notifications, signup, social
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import Invalid, Unavailable

Outcome = tuple[User | None, HttpResponse | None]


class JoiningForm(forms.Form):
    """What every way to join asks and refuses."""

    accept_terms = forms.BooleanField(
        label=_("I accept the terms of service and have read the privacy notice."),
        error_messages={"required": _("Please accept the terms to create an account.")},
    )
    may_train = forms.BooleanField(
        label=_("You may use my conversations to improve the models."),
        help_text=_("Optional. You can change your mind at any time in your settings."),
        required=False,
    )

    def clean_email(self) -> str:
        email = cast(str, super().clean_email())  # type: ignore[misc]  # allauth's form, beside this one
        try:
            joining.require_lasting_address(email)
        except Invalid as error:
            raise forms.ValidationError(str(error.sentence), code=error.code) from error
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = cast(dict[str, Any], super().clean())
        if not self.errors:
            try:
                joining.count_in(get_adapter().get_client_ip(context.request), now=clock.now())
            except Unavailable as error:
                raise forms.ValidationError(str(error.sentence), code=error.code) from error
        return cleaned

    def try_save(self, request: HttpRequest) -> Outcome:
        try:
            return cast(Outcome, super().try_save(request))  # type: ignore[misc]  # allauth's form, beside this one
        except IntegrityError:
            # Two sign-ups with one address at once: the second is answered as if the account had been there before.
            return None, flows.signup.prevent_enumeration(request, email=self.cleaned_data["email"])

    def save(self, request: HttpRequest) -> User:
        make = super().save  # type: ignore[misc]  # allauth's form, beside this one
        user = signup.join(lambda: make(request), allows_training=self.cleaned_data["may_train"])
        if getattr(request, "guest", None) is not None:
            guests.leave_session(request.session)
        return user


class SignUpForm(JoiningForm, SignupForm):  # type: ignore[misc]  # allauth ships no types
    field_order = ["email", "password1", "accept_terms", "may_train"]


class SocialSignUpForm(JoiningForm, SocialForm):  # type: ignore[misc]  # allauth ships no types
    """An address that the provider vouches for is taken as it is; any other one is confirmed by a code."""

    field_order = ["email", "accept_terms", "may_train"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # allauth's own
        super().__init__(*args, **kwargs)
        self.vouched = social.vouched_address(self.sociallogin)
        if self.vouched:
            self.initial["email"] = self.vouched
            self.fields["email"].disabled = True

    def save(self, request: HttpRequest) -> User:
        guest = getattr(request, "guest", None)
        if guest is not None:
            social.join_as(self.sociallogin, guests.become_member(guest, now=clock.now()))
        social.keep_one_address(self.sociallogin, self.cleaned_data["email"])
        return super().save(request)


def _time_zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]


class StaffSignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold ships no types
    """The admin's own door, where guessing ends after as few tries as at everybody's."""

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            self.user_cache = get_adapter(self.request).authenticate(self.request, email=email, password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
            if is_mfa_enabled(self.user_cache):  # this door has no second step, so it is not theirs
                raise forms.ValidationError(_("Your account has a second step: sign in on the site’s own page first."))
        return cast(dict[str, Any], self.cleaned_data)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("Like the browser")), *settings.LANGUAGES]
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=lazy(_time_zones, list)())

    class Meta:
        model = User
        fields = ("name", "language", "theme", "time_zone")
        labels: ClassVar[dict[str, Any]] = {"name": _("Your name"), "theme": _("Appearance")}


class EmailForm(forms.Form):
    email = forms.EmailField(
        label=_("New address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def clean_email(self) -> str:
        email = cast(str, self.cleaned_data["email"]).lower()
        try:
            joining.require_lasting_address(email)
        except Invalid as error:
            raise forms.ValidationError(str(error.sentence), code=error.code) from error
        return email


def _code_field(label: Any) -> forms.CharField:  # noqa: ANN401  a lazy text
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=32, widget=forms.TextInput(attrs=attributes))


class ProofForm(forms.Form):
    code = _code_field(_("Code"))


class EmailCodesForm(forms.Form):
    old_code = _code_field(_("Code from your present mailbox"))
    new_code = _code_field(_("Code from your new mailbox"))


class NotificationsForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    class Meta:
        model = User
        fields = tuple(notifications.COLUMNS.values())


class TrainingForm(forms.Form):
    may_train = forms.BooleanField(label=SignUpForm.base_fields["may_train"].label, required=False)
