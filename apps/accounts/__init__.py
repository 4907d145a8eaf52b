"""Who a person is, how they sign in, what they agreed to, what staff did for them.

Signing in belongs to django-allauth; `adapters` and `forms` are the two places where it asks us.
Nothing here knows about plans or conversations.

| rule | module |
|---|---|
| what happens around allauth's pages: language, codes, mail | `adapters` |
| accounts elsewhere that sign in, and which address of theirs is believed | `social` |
| an account and its consents, in one transaction | `signup` |
| how a person wants to be called and shown the pages | `profiles` |
| what a person agreed to, and whether we may train on their words | `consent` |
| where Europe's stricter rules hold | `regions` |
| what staff did, and why | `audit` |
| what staff remember of a person | `notes` |
| what each role of staff may | `roles` |
| who of the staff may open a page | `gates` |
| which passwords are refused | `passwords` |
| people who try before they sign up | `guests` |
| who may join now | `joining` |
| how many come to the public pages | `visits` |
| codes that are mailed and typed | `codes` |
| how long who tried too often waits | `throttles` |
| a code by mail as proof, for who has no other | `proofs` |
| how secrets of second factors are kept | `second_factor` |
| a change of address that both mailboxes confirm | `email_changes` |
| where a person is signed in | `sessions` |
| browsers a person signed in with before | `devices` |
| the country of an address | `places` |
| mails that a person may do without | `notifications` |
| mails on their way, each first a row | `letters` |
| how a mail of ours looks, as text and as a page | `mail` |
| take it along, or forget it | `personal_data` |
"""
