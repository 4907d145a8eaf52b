import pytest

from apps.chat.titles import title_from


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("\n\n  Two   spaces\nand more", "Two spaces"),
        ("", ""),
        ("   \n ", ""),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("Hello, " * 20, "Hello, Hello, Hello, Hello, Hello, Hello, Hello, Hello…"),
        ("今日は" * 40, "今日は" * 19 + "今日…"),
    ],
)
def test_the_first_line_with_words_cut_at_a_words_end(text, title):
    assert title_from(text) == title
    assert len(title) <= 60
