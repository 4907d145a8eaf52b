"""A year of the company in minutes: people join, ask, meet limits, buy, fail to pay and leave, by the real rules.

| rule | module |
|---|---|
| a run from its first day to filled reports | `course` |
| what is simulated, and the seed of all chance | `parameters` (pure) |
| who joins when | `population` (pure) |
| when people come and what they ask | `habits`, `scripts` (pure) |
| what those who pay do next | `subscribers` (pure) |
| the workers, and one worker's people day by day | `crew`, `shift` |
| carrying it out through the real rules | `stage` |
| how far it is | `checkpoint` |
| where it refuses to run | `conditions` |
| what a person sees, what was left behind | `display`, `summary` |
"""
