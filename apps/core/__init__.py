"""Words everyone shares. No tables, no domain.

| rule | module |
|---|---|
| errors as one tree, with code and status | `errors` |
| an error becomes a page, JSON or an OpenAI-style body | `answers` |
| a job is a nudge, sent on commit, by name | `jobs` |
| the only place that reads the time | `clock` |
| keys that sort by time | `ids` |
| where a transaction must, or must not, be open | `guards` |
| defaults of HTTP clients | `http` |
| integer money, shown and rounded | `money` |
| secrets that lie encrypted | `sealing` |
| frames of server-sent events | `sse` |
| rows of a query that is text, as instances of their model | `rows` |
"""
