"""Words that the templates know."""
