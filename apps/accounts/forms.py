from typing import Any, ClassVar, cast
from zoneinfo import available_timezones

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.account.internal import flows
from allauth.core import context
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from apps.accounts import joining, signup
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import Invalid, Unavailable


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth ships no types
    accept_terms = forms.BooleanField(
        label=_("I accept the terms of service and have read the privacy notice."),
        error_messages={"required": _("Please accept the terms to create an account.")},
    )
    may_train = forms.BooleanField(
        label=_("You may use my conversations to improve the models."),
        help_text=_("Optional. You can change your mind at any time in your settings."),
        required=False,
    )
    field_order: ClassVar[list[str]] = ["email", "password1", "accept_terms", "may_train"]

    def clean_email(self) -> str:
        email = cast(str, super().clean_email())
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

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        try:
            return cast(tuple[User | None, HttpResponse | None], super().try_save(request))
        except IntegrityError:
            # Two sign-ups with one address at once: the second is answered as if the account had been there before.
            return None, flows.signup.prevent_enumeration(request, email=self.cleaned_data["email"])

    def save(self, request: HttpRequest) -> User:
        allows_training = self.cleaned_data["may_train"]
        return signup.join(lambda: super(SignUpForm, self).save(request), allows_training=allows_training)


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


class EmailCodesForm(forms.Form):
    old_code = _code_field(_("Code from your present mailbox"))
    new_code = _code_field(_("Code from your new mailbox"))


class TrainingForm(forms.Form):
    may_train = forms.BooleanField(label=SignUpForm.base_fields["may_train"].label, required=False)
