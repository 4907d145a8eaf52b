"""How much a person may spend and has spent.

No model is called without a reservation, and none outlives its time. What was really used is settled into buckets
and one row per answer; that ledger is append-only.

| rule | module |
|---|---|
| which limits of a plan a request meets | `limits` |
| reserve, settle, release | `ledger` |
| room in one bucket: windows, one conditional UPDATE | `buckets` |
| the rows of what is set aside | `reservations` |
| several statements in one round trip | `roundtrip` |
| what dead workers left is given back | `sweep` |
| what is left of each limit | `balances` |
| prepaid money for the API, grant by grant | `credits` |
| what guests may use in a day | `guest_days` |
| what was paid is granted, what went back is taken back, and little left is recharged | `top_ups` |
| usage that the month's end charges, once credit is spent | `charges` |
| what the page of credit shows | `purse` |
| what a person lets be spent in a month | `caps` |
| what of usage does not add up, shown beside what differs from Stripe | `drift` |
| warnings at 80 % and 100 % | `alerts` |
| what was used, by day | `history` |
| why a limit said no, in words | `errors` |
| what the person's archive holds of this, and what leaves with them | `personal_data` |
"""
