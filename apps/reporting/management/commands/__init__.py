"""Commands: `rebuild_facts`."""
