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
| what a page is asked to show | `scope` |
| facts of a scope, summed | `facts` |
| figures with their change | `figures` |
| what opens behind a figure | `opened` |
| where a cell of a row leads | `links` |
| figures split by one dimension | `splits` |
| dimensions and their values in words | `names` |
| which figures, splits and tables each page has | `sheets` |
| changes of a customer's subscriptions become movements | `netting` |
| from the MRR at the start to that at the end | `bridge` |
| what other currencies were worth | `exchange` |
| what other prices and limits would do | `what_if` |
| what a customer brings until they leave | `lifetime` |
| facts by calendar month | `months` |
| addresses of the reports' own pages | `addresses` |
| a page, ready to print | `pages` |
| what its filters offer | `choices` |
| what staff wrote on days | `annotations` |
| pages that a person comes back to | `saved_views` |
| the report of a week by mail | `weekly` |
| what a chart draws | `charts` |
| numbers in words | `wording` |
| whether the figures can be trusted now | `health` |
| whether they are what Stripe and our rows say, compared every night | `accuracy` |
| files of rows | `csv_export` |
| whole files, for other tools | `files` |
| the admin's side bar | `navigation` |
"""
