"""The pages of the reports: which figures, splits and panels each shows, and the sentence it begins with.

| rule | module |
|---|---|
| what a page, a split and a panel are | `base` |
| the first page | `overview` |
| MRR, its movements, and what is earned | `revenue` |
| the MRR from start to end | `bridging` |
| who stays and who leaves | `retention` |
| … by calendar month and by month of signing up | `retention_tables` |
| who is about to leave, and why people cancel | `leaving` |
| from signing up to paying | `growth` |
| money that came, went back, or did not come | `payments` |
| answers, tokens and people | `usage` |
| what programs ask, by key | `developer` |
| model cost and margin | `cost` |
| … and of single accounts | `account_tables` |
| whether answers come quickly, and whether they come | `operations` |
| what people agreed to, and how often staff looked | `trust` |
| every page by its slug | `register` |
"""
