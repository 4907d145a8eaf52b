"""One module for each resource of the API: what a call may say, and which rule answers it."""
