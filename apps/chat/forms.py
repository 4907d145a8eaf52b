from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.chat import content_reports
from apps.chat.models import ContentReport, Personalization
from apps.chat.personalities import PERSONALITIES


class VerdictForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    seen = forms.CharField(widget=forms.HiddenInput)

    class Meta:
        model = ContentReport
        fields = ("state",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own
        super().__init__(*args, **kwargs)
        if "seen" in self.fields:
            self.fields["seen"].initial = self.instance.changed_at.isoformat()

    def clean_seen(self) -> datetime:
        if self.cleaned_data["seen"] != self.instance.changed_at.isoformat():
            raise forms.ValidationError(content_reports.MEANWHILE)
        seen: datetime = self.instance.changed_at
        return seen


class PersonalizationForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    personality = forms.ChoiceField(
        label=_("Personality"),
        choices=[(key, one.name) for key, one in PERSONALITIES.items()],
        widget=forms.RadioSelect,
    )
    model = forms.ChoiceField(label=_("Model to begin with"), required=False)

    class Meta:
        model = Personalization
        fields = ("about", "wishes", "personality", "model", "is_on")
        widgets: ClassVar[dict[str, Any]] = {
            "about": forms.Textarea(attrs={"rows": 4}),
            "wishes": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "about": _("For example your trade, what you work on, or what you know well."),
            "wishes": _("For example how long, how formal, in which units."),
        }

    def __init__(self, *args: Any, models: list[tuple[str, str]], **kwargs: Any) -> None:  # noqa: ANN401  # Django's own
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = [("", _("The first of my plan")), *models]  # type: ignore[attr-defined]
