"""Pages of usage: what was used, and credit for the API."""
