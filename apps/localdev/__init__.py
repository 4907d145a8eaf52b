"""`manage.py up`: the whole system on one machine, ended by one Ctrl-C. Absent from production settings.

| rule | module |
|---|---|
| an embedded Postgres in a folder | `postgres` |
| an embedded Valkey in a folder | `valkey` |
"""
