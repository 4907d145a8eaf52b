from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.forms import ActionForm
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import User
from apps.billing import grants, plans


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


class RevokeForm(ActionForm):  # type: ignore[misc]  # unfold ships no types
    """Beside the list's actions: why."""

    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=300, widget=forms.TextInput(attrs={"class": "min-w-64 px-2"})
    )
