"""The pages that people see, and the console as JSON."""
