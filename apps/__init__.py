"""The rooms of the house; each says in its own `__init__` where its rules stand."""
