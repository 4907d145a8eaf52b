"""`manage.py up`: the whole system on one machine, ended by one Ctrl-C. Absent from production settings.

| rule | module |
|---|---|
| one run, from the lock to `up.json` and what a killed run left | `session` |
| which parts make the system, and in which order they come and go | `system` |
| a part is started, watched and ended; what a killed run left is found again | `processes` |
| parts come up as soon as what they need is there; a crash ends all | `supervisor` |
| ports, addresses and local secrets: chosen once, remembered | `addresses` |
| what a person sees meanwhile | `display` |
| an embedded Postgres in a folder | `postgres` |
| an embedded Valkey in a folder | `valkey` |
| a local language model behind OpenAI's protocol | `language_model` |
| pages' scripts and styles, built when missing or stale | `assets` |
| the account that may see the admin pages | `staff` |
| mail that was never sent, to read on a page | `mailbox` |
| a year of the company in minutes, by the real rules | `simulation` |
"""
