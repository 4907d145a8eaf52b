"""The pages of the reports: which figures, splits and panels each shows, and the sentence it begins with.

| rule | module |
|---|---|
| what a page, a split and a panel are | `base` |
| the first page | `overview` |
| MRR, its movements, and what is earned | `revenue` |
| answers, tokens and people | `usage` |
| model cost and margin | `cost` |
| every page by its slug | `register` |
"""
