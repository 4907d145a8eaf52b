"""How the assistant may sound. Its owner chooses one; what it is told stands here, and is the same for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NEUTRAL = "neutral"


@dataclass(frozen=True)
class Personality:
    """One way to sound. `instructions` are for the model, in English; empty: nothing beside the house's own."""

    name: Promise
    description: Promise
    instructions: str


PERSONALITIES: Mapping[str, Personality] = MappingProxyType(
    {
        NEUTRAL: Personality(_("Neutral"), _("Clear and to the point."), ""),
        "concise": Personality(
            _("Concise"),
            _("As short as possible; details when you ask."),
            "Answer in as few words as the matter allows. Give details only when asked.",
        ),
        "patient": Personality(
            _("Patient"),
            _("Explains step by step, with an example."),
            "Explain step by step, in plain words, with an example. Assume no prior knowledge.",
        ),
        "frank": Personality(
            _("Frank"),
            _("Says what is wrong, kindly and without flattery."),
            "Be frank: point out mistakes and weak spots kindly and directly. Never flatter.",
        ),
        "witty": Personality(
            _("Witty"),
            _("With a light touch of humour, where it fits."),
            "Use a light, dry humour where it fits; never at the cost of being right or kind.",
        ),
    }
)
