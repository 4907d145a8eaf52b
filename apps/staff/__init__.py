"""What staff do for one person: find them, see how they stand, block, and look at their pages.

Nothing here reads what a person wrote to a model, nor what was answered. It has no tables of its own.

| rule | module |
|---|---|
| find a customer, and how they stand | `customers` |
| the tables of a customer’s page | `tables` |
| let nobody in, and let them in again | `blocking` |
| see the pages as the person does, for a while and written down | `impersonation` |
"""
