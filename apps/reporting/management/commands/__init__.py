"""Commands: `fill_metrics`."""
