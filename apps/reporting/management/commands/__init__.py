"""Commands: `rebuild_facts`, `check_accuracy`."""
