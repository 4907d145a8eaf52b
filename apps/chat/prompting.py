"""What a model is asked: the house's instructions, then the path of the conversation as far as it fits, newest kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from apps.billing.plans import PlanTerms
from apps.chat import personalization, tree
from apps.chat.models import Message
from apps.core import rows
from apps.core.errors import Missing
from apps.inference import language_models
from apps.inference.calls import Prompt
from apps.inference.errors import RequestTooLong
from apps.inference.language_models import LanguageModel
from apps.inference.models import Run

INSTRUCTIONS = (
    "You are the assistant of Causerie. Answer in the language of the question, clearly and to the point. "
    "Say so when you do not know."
)
SAFE_BYTES_PER_TOKEN = 3  # fewer than usual: a prompt that is longer than we think would be refused
TOKENS_PER_MESSAGE = 6
CONVERSATION = """
    SELECT {columns} FROM chat_message
     WHERE conversation_id = (SELECT conversation_id FROM chat_message WHERE run_id = %s)
"""


def prompt_for(run: Run, plan: PlanTerms) -> Prompt:
    """The prompt of the answer that `run` makes.

    Raises  Missing: the conversation was deleted meanwhile;  RequestTooLong: the question alone does not fit.
    """
    messages = rows.read(Message, CONVERSATION, [run.pk])
    reply = next((message for message in messages if message.run_id == run.pk), None)
    if reply is None:
        raise Missing("The conversation of this answer was deleted.")
    wishes = personalization.instructions_for(run.account.owner)
    prompt = build(tree.path_to(messages, reply.pk)[:-1], plan, language_models.get_model(run.model), wishes=wishes)
    return replace(prompt, affinity=str(reply.conversation_id))


def build(path: Sequence[Message], plan: PlanTerms, model: LanguageModel, *, wishes: str = "") -> Prompt:
    """Instructions and as much of the path as fits beside the longest answer; the last message always is there.

    wishes  what the person wants every answer to heed; left out where it would take the room of the last message.

    Raises  RequestTooLong: the last message alone does not fit.
    """
    output_tokens = longest_answer(plan, model)
    room = min(plan.context_tokens, model.context_tokens) - output_tokens - _weight(INSTRUCTIONS)
    last = next((message.text for message in reversed(path) if message.text), "")
    has_wishes = bool(wishes) and _weight(wishes) + _weight(last) <= room
    room -= _weight(wishes) if has_wishes else 0
    kept: list[Message] = []
    for message in reversed([message for message in path if message.text]):
        room -= _weight(message.text)
        if room < 0:
            break
        kept.append(message)
    if not kept:
        raise RequestTooLong
    if kept[-1].role == Message.Role.ASSISTANT and len(kept) > 1:
        kept.pop()  # an answer without its question explains nothing
    instructions = f"{INSTRUCTIONS}\n{wishes}" if has_wishes else INSTRUCTIONS
    return Prompt(tuple(_shaped(kept, instructions)), output_tokens)


def longest_answer(plan: PlanTerms, model: LanguageModel) -> int:
    """Tokens an answer may have: the plan's number, and at most half of what the model can see."""
    return min(plan.output_tokens, model.context_tokens // 2)


def refuse_too_long(text: str, plan: PlanTerms, model: LanguageModel) -> None:
    """Check a message before it is stored.

    Raises  RequestTooLong: it would not fit, even alone.
    """
    build([Message(role=Message.Role.USER, text=text)], plan, model)


def _shaped(newest_first: Sequence[Message], instructions: str) -> list[Mapping[str, object]]:
    path = [{"role": message.role, "content": message.text} for message in reversed(newest_first)]
    return [{"role": "system", "content": instructions}, *path]


def _weight(text: str) -> int:
    return TOKENS_PER_MESSAGE - (-len(text.encode()) // SAFE_BYTES_PER_TOKEN)
