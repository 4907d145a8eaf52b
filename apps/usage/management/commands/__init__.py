"""Commands of usage."""
