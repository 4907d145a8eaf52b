"""What each figure means: one class each, by family.

| rule | module |
|---|---|
| what a metric and a fact are | `base` |
| MRR, subscriptions, customers, recognised revenue | `revenue` |
| new, more, less, lost and back again | `movements` |
| rates of churn and retention | `retention` |
| what becomes of those who signed up in one month | `cohorts` |
| ARR and ARPA | `ratios` |
| answers, messages, tokens | `usage` |
| model cost, API revenue | `cost` |
| revenue less cost | `margin` |
| every metric by slug, every family by name | `families` |
| rows behind a figure, page by page | `rows` |
"""
