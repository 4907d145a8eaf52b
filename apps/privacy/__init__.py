"""Take your data, or leave.

| rule | module |
|---|---|
| what an app must say about the personal data it keeps | `contracts` |
| every app that keeps some, in the order of leaving | `registry` |
| everything about me, as one archive | `exports` |
| a week to change one's mind | `departures` |
| what closes when a person leaves, and opens again | `doors` |
| leaving: cancel, wait, erase, and a receipt | `erasures` |
| what waits is taken up again | `sweep` |
| what this app itself keeps of a person | `personal_data` |
"""
