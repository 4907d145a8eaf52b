"""What each figure means: one class each, by family.

| rule | module |
|---|---|
| what a metric and a fact are | `base` |
| MRR, subscriptions, customers, recognised revenue | `revenue` |
| new, more, less, lost and back again | `movements` |
| the movements of a day | `moved` |
| rates of churn and retention | `retention` |
| what is kept by the month | `monthly` |
| what becomes of those who signed up in one month | `cohorts` |
| what each account brought and cost, added up | `account_sums` |
| … in one month | `accounts` |
| … in the thirty days up to each day: the ten loss makers, and how margins are spread | `thirty_days` |
| ARR and ARPA | `ratios` |
| rows of one table, counted or added up | `counted` |
| charged, refunded, disputed, failed, recovered | `cash` |
| sign-ups, active accounts, limits met, checkouts | `people` |
| who comes to the public pages | `visits` |
| answers, messages, tokens | `usage` |
| model cost, API revenue | `cost` |
| API answers, by key | `developer` |
| revenue less cost | `margin` |
| how quickly answers begin, how many fail | `operations` |
| consents and acts of staff | `trust` |
| every metric by slug, every family by name | `families` |
| rows behind a figure, page by page | `rows` |
"""
