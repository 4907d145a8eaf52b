"""Filters of the report pages."""
