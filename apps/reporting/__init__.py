"""What the business looks like, by day.

Every figure can be opened down to its rows, and thrown away and computed again to the same value. Reporting reads every
room below it and writes nothing but its own facts.

| rule | module |
|---|---|
| what each figure means, one class each | `metrics` |
| days that changed are computed again, whole | `fill` |
| where a day begins and ends | `days` |
| whose rows count | `population` |
| when revenue is earned | `recognition` |
| figures with their change, read from facts | `figures` |
| what the first page shows | `overview` |
| what a chart draws | `charts` |
| numbers in words | `wording` |
| whether the figures can be trusted now | `health` |
| files of rows | `csv_export` |
| the admin's side bar | `navigation` |
"""
