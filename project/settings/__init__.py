"""One module for each place the product runs in: `local`, `test`, `production`; what they share is in `base`."""
