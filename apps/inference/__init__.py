"""One model call, start to finish: choose a back end, stream, record.

Workers call models here and nowhere else; whoever wants an answer opens a run and follows it. The rows in Postgres are
the truth, what lies in Valkey may be lost.

| rule | module |
|---|---|
| the models of the catalogue, and their servers | `language_models` |
| open a run, stop it, say how it ended | `runs` |
| who waits for what: a place in line, or an own answer | `places` |
| make an answer: one loop per worker process | `engine` |
| one answer being made: servers, pieces, interruption | `answering` |
| what a lost worker wrote, and how another goes on | `continuing` |
| who has a run: claim, lease, reservation | `claims` |
| how a run begins and ends, with what is charged | `settlement` |
| which server is tried, and when | `router` |
| what all workers know of each server: rests, drains | `backends` |
| whether servers are up, asked without a run | `probes` |
| the servers as one process uses them | `fleet` |
| how many answers a server writes at once | `slots` |
| keys of servers that staff entered | `credentials` |
| how servers and queues stand, for staff, in figures and in words | `operations`, `fleet_words` |
| the shapes of one call | `calls` |
| protocols of servers | `providers` |
| what an answer costs, estimates of tokens | `pricing` |
| what servers report of tokens, each in its own way | `token_counts` |
| how many tokens a text is | `tokenizer` |
| what happens to a run, as followers read it | `events` |
| the log of a run in Valkey | `relay` |
| how workers write it | `publishing` |
| how web processes read it | `readers` |
| follow a run to its end, wherever it is stored | `following` |
| lost workers and lost nudges | `sweep` |
| database work for code on a loop | `steps` |
| figures for operations | `gauges` |
| what a person is told when no answer comes | `errors` |
| export and erase | `personal_data` |
"""
