"""The sandbox's own pages, as addresses that stand in its answers."""

base = "http://127.0.0.1:12111"  # set once at start


def set_base(address: str) -> None:
    """Say where the sandbox listens."""
    global base  # noqa: PLW0603  one process listens at one address
    base = address


def page(path: str) -> str:
    """Give the full address of a page."""
    return f"{base}{path}"
