"""A conversation's title, from its first message. Pure."""

LONGEST = 60


def title_from(text: str) -> str:
    """The first line with words, cut at a word's end; empty when there is none."""
    line = next((" ".join(part.split()) for part in text.splitlines() if part.strip()), "")
    if len(line) <= LONGEST:
        return line
    head = line[: LONGEST - 1]
    whole_words = head.rpartition(" ")[0] if " " in head else head
    return whole_words.rstrip(" ,;:.–-") + "…"
