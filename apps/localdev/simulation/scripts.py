"""What is asked and what the scripted back end answers, in English and French. Pure and seeded."""

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from apps.localdev.simulation.habits import Question
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.population import Person

QUESTIONS = {
    "en": (
        "How do I write a short note to thank my team?",
        "Explain what a mortgage is as if I were twelve.",
        "Plan three days in Lisbon with two children.",
        "Why does my sourdough not rise?",
        "Write a Python function that finds the longest word in a text.",
        "Which questions should I ask before I rent this flat?",
        "Summarise this for my manager, in five lines.",
        "And how long would that take?",
        "Could you make it friendlier?",
        "What is the difference between a virus and a bacterium?",
    ),
    "fr": (
        "Comment remercier mon équipe en quelques lignes ?",
        "Explique-moi un prêt immobilier comme si j'avais douze ans.",
        "Prépare trois jours à Lisbonne avec deux enfants.",
        "Pourquoi mon pain au levain ne lève-t-il pas ?",
        "Écris une fonction Python qui trouve le mot le plus long d'un texte.",
        "Quelles questions poser avant de louer cet appartement ?",
        "Résume ceci pour ma responsable, en cinq lignes.",
        "Et combien de temps cela prendrait-il ?",
        "Peux-tu le dire plus gentiment ?",
        "Quelle est la différence entre un virus et une bactérie ?",
    ),
}
ANSWERS = {
    "en": (
        "Start with the one thing that matters most to you.",
        "A short list helps: write down what you know, then what is missing.",
        "That depends on how much time you have, so here is a plan for both cases.",
        "In short, yes, but keep an eye on the details below.",
        "Here is an example that you can change as you like.",
        "If it does not work at once, try the second way.",
    ),
    "fr": (
        "Commencez par ce qui compte le plus pour vous.",
        "Une courte liste aide : notez ce que vous savez, puis ce qui manque.",
        "Cela dépend du temps dont vous disposez ; voici un plan pour les deux cas.",
        "En bref, oui, mais gardez un œil sur les détails ci-dessous.",
        "Voici un exemple que vous pouvez adapter à votre guise.",
        "Si cela ne marche pas tout de suite, essayez la seconde manière.",
    ),
}
BYTES_PER_TOKEN = 4
PACE_PER_S = 40  # tokens
MEAN_TOKENS_LOG = 4.7  # e to this: 110 tokens are usual
UNCOUNTED, STOPPED, CUT_OFF, UNAVAILABLE = 0.03, 0.02, 0.008, 0.006


class Outcome(StrEnum):
    """How the back end does."""

    WHOLE = "whole"
    UNCOUNTED = "uncounted"  # it does not say how many tokens
    STOPPED = "stopped"  # by the person
    CUT_OFF = "cut_off"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Script:
    """One question and its answer: the texts, how it ends, and how long each part takes."""

    question: str
    answer: str
    outcome: Outcome
    output_tokens: int
    input_factor: float  # of our estimate: what the back end counts
    waits: timedelta  # for a worker
    thinks: timedelta  # until the first token

    @property
    def writes(self) -> timedelta:
        """How long the answer streams."""
        return timedelta(seconds=self.output_tokens / PACE_PER_S)


def script_of(person: Person, question: Question, most_tokens: int, parameters: Parameters) -> Script:
    """What is said; `most_tokens` is the longest answer that the person's plan gives."""
    dice = parameters.dice(person.number, question.at.isoformat())
    outcome = _outcome(dice.random())
    tokens = min(most_tokens, max(8, round(dice.lognormvariate(MEAN_TOKENS_LOG, 0.6))))
    if outcome in (Outcome.STOPPED, Outcome.CUT_OFF):
        tokens = max(4, round(tokens * dice.uniform(0.1, 0.8)))
    language = person.home.language
    return Script(
        question=dice.choice(QUESTIONS[language]),
        answer="" if outcome is Outcome.UNAVAILABLE else _text(dice, ANSWERS[language], tokens),
        outcome=outcome,
        output_tokens=0 if outcome is Outcome.UNAVAILABLE else tokens,
        input_factor=dice.uniform(0.85, 1.15),
        waits=timedelta(seconds=dice.uniform(0.02, 0.6)),
        thinks=timedelta(seconds=dice.uniform(0.2, 1.5)),
    )


def _outcome(chance: float) -> Outcome:
    shares = (
        (Outcome.UNCOUNTED, UNCOUNTED),
        (Outcome.STOPPED, STOPPED),
        (Outcome.CUT_OFF, CUT_OFF),
        (Outcome.UNAVAILABLE, UNAVAILABLE),
    )
    for outcome, share in shares:
        if chance < share:
            return outcome
        chance -= share
    return Outcome.WHOLE


def _text(dice: random.Random, sentences: tuple[str, ...], tokens: int) -> str:
    """Sentences up to about so many tokens."""
    size, text = tokens * BYTES_PER_TOKEN, ""
    while len(text) < size:
        text += dice.choice(sentences) + " "
    return text[:size].strip() or sentences[0][:size]
