"""The OpenAI-compatible HTTP face, and its keys.

A call is read strictly, counted against the minute, and becomes a run; the view only follows it. It is paid from
prepaid credit, apart from the plan. Nothing of what was asked or answered is kept but its counts.

| rule | module |
|---|---|
| keys: made, shown once, found by their hash, revoked | `keys` |
| who calls | `authentication` |
| OpenAI's requests, read strictly | `dialect` |
| OpenAI's answers | `shapes` |
| requests and tokens a minute | `throttles` |
| one call: admit, follow, stop when nobody reads | `completions` |
| what the person's archive holds of this, and what leaves with them | `personal_data` |
"""
