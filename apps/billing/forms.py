from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.forms import ActionForm
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.accounts.models import User
from apps.billing import grants, plans
from apps.billing.models import RefundRequest
from apps.billing.offers import MINOR_PER_MAJOR
from apps.billing.refunds import Wish


class GrantForm(forms.Form):
    email = forms.EmailField(label=_("E-mail of the person"), widget=UnfoldAdminEmailInputWidget)
    plan = forms.ChoiceField(label=_("Plan"))
    starts_at = forms.SplitDateTimeField(
        label=_("From"), required=False, help_text=_("Empty: from now on."), widget=UnfoldAdminSplitDateTimeWidget
    )
    ends_at = forms.SplitDateTimeField(
        label=_("Until"), required=False, help_text=_("Empty: for good."), widget=UnfoldAdminSplitDateTimeWidget
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Kept in the audit log."), widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:  # Any: Django's own form data
        super().__init__(data)
        catalogue = plans.catalogue()
        choices = [(key, catalogue.plans[key].name) for key in grants.grantable()]
        self.fields["plan"] = forms.ChoiceField(label=_("Plan"), choices=choices, widget=UnfoldAdminSelectWidget)

    def clean_email(self) -> User:
        person = User.objects.filter(email=self.cleaned_data["email"].lower()).first()
        if person is None:
            raise forms.ValidationError(_("Nobody has this address."))
        return person


class RefundForm(forms.Form):
    amount = forms.DecimalField(
        label=_("Amount"), min_value=Decimal("0.01"), max_digits=12, decimal_places=2, widget=UnfoldAdminTextInputWidget
    )
    why = forms.ChoiceField(
        label=_("For Stripe"),
        choices=[
            ("requested_by_customer", _("The person asked for it")),
            ("duplicate", _("It was paid twice")),
            ("fraudulent", _("It is fraud")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Kept in the audit log."), widget=UnfoldAdminTextInputWidget
    )
    ending = forms.ChoiceField(
        label=_("The plan"),
        choices=[
            (RefundRequest.Ending.KEEP, _("goes on")),
            (RefundRequest.Ending.PERIOD_END, _("ends with the period that is paid")),
            (RefundRequest.Ending.NOW, _("ends now")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    has_credit_note = forms.BooleanField(
        label=_("With a credit note"), required=False, initial=True, widget=UnfoldBooleanWidget
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, left_minor: int) -> None:  # Any: as above
        super().__init__(data, initial={"amount": Decimal(left_minor) / MINOR_PER_MAJOR})

    def wish(self) -> Wish:
        said = self.cleaned_data
        amount_minor = int(said["amount"] * MINOR_PER_MAJOR)
        return Wish(amount_minor, said["why"], said["reason"], said["ending"], said["has_credit_note"])


class CancelForm(forms.Form):
    """Why somebody leaves, if they like to say it. The words for `feedback` are Stripe's."""

    reason = forms.ChoiceField(
        label=_("Why are you leaving? You need not say."),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            ("too_expensive", _("It costs too much")),
            ("unused", _("I do not use it enough")),
            ("missing_features", _("Something is missing")),
            ("low_quality", _("The answers are not good enough")),
            ("too_complex", _("It is too complicated")),
            ("switched_service", _("I use something else now")),
            ("customer_service", _("The help I got was not good")),
            ("other", _("Another reason")),
        ],
    )
    words = forms.CharField(
        label=_("Anything we should know?"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    @property
    def feedback(self) -> str:
        return str(self.cleaned_data["reason"])

    @property
    def comment(self) -> str:
        return str(self.cleaned_data["words"]).strip()


class RevokeForm(ActionForm):  # type: ignore[misc]  # unfold ships no types
    """Beside the list's actions: why."""

    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=300, widget=forms.TextInput(attrs={"class": "min-w-64 px-2"})
    )
