"""Where Europe's stricter rules on personal data hold. A country we do not know counts as European."""

# fmt: off
EUROPEAN_UNION = frozenset((
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE",
    "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
))
# fmt: on
OUTERMOST_REGIONS = frozenset(("AX", "GF", "GP", "MF", "MQ", "RE", "YT"))  # part of the Union, with codes of their own
EUROPEAN_ECONOMIC_AREA = frozenset(("IS", "LI", "NO"))
EUROPEAN = EUROPEAN_UNION | OUTERMOST_REGIONS | EUROPEAN_ECONOMIC_AREA | {"GB", "CH"}


def is_european(country: str) -> bool:
    """Say whether the strict rules hold for an ISO 3166-1 country; an empty or unknown one is treated as European."""
    code = country.strip().upper()
    return len(code) != 2 or not code.isalpha() or code in EUROPEAN  # noqa: PLR2004  # two letters
