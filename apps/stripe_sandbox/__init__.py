"""A stateful local Stripe: its own Django site, settings, SQLite file and process, for sandbox money only.

It imports nothing of the other apps and they import nothing of it; the product meets it over HTTP, like Stripe.
Start it with `python -m apps.stripe_sandbox`. What it leaves out it refuses: an unknown parameter is an error.

| rule | module |
|---|---|
| when it starts, and when it refuses to | `environment`, `start`, `settings`; the listening itself is `server` |
| a call becomes one operation in one transaction | `api`, found through `routes` and `operations` |
| who may call | `authentication` |
| nested forms, and what a call may be told | `encoding`, `parameters` |
| one key, one effect | `idempotency` |
| refusals in Stripe's words | `errors` |
| lists by cursor, ids that become objects | `lists`, `expansion` |
| what each resource of the API can do | `resources` |
| documents, where they are kept, their ids | `documents`, `store`, `ids` |
| which time it is, really and for one customer | `clock`, `clocks` |
| test cards: what is declined, what asks | `cards` (pure) |
| who a customer is, and their saved cards | `customers`, `payment_methods` |
| a card is charged or saved | `intents`, `charges`; after 3-D Secure `challenges` |
| payments that a caller makes, and purchases | `payment_intents`; through Checkout `one_off` |
| money that goes back, or is taken back | `refunds`, `disputes`; what is taken off an invoice `credit_notes` |
| fees, and one entry for each movement | `balance_transactions` |
| usage that is reported, added up, taken back | `meters`; what is wrong with it `meter_problems` |
| what is billed by usage, and its lines | `metered`, `usage` |
| what changes hands mid-period, the balance, shares of a discount | `proration` (pure) |
| what a coupon takes off, and while it is held | `coupons` (pure), `discounts` |
| the tax, the numbers of companies, and the sums of an invoice | `taxes`, `tax_ids`, `totals` (pure) |
| months and years from an anchor | `periods` (pure) |
| an invoice from draft to paid | `invoicing`, `collection` |
| how invoices, subscriptions and sessions look at first | `blanks` |
| when a failed payment is tried again | `dunning` (pure) |
| how a subscription begins, is on trial, changes and ends | `subscribing`, `trials`, `plan_changes`, `endings` |
| what an invoice would be | `previews` |
| its items, and how payments move its status | `items`, `standing` |
| how it pauses and goes on | `pauses` |
| what it becomes later, phase by phase | `schedules`, `phases` |
| what is due next, and doing it | `moments` (pure), `renewals`; a test clock moves by `advancing` |
| hosted Checkout and portal | `checkout`, what it sells `orders`; `portal` |
| what happened, as an event, with the call that caused it | `events`, `calls` |
| events without the object, by its id alone | `thin_events` |
| letters owed, signed, delivered | `outgoing`, `signatures`, `delivery`; by itself in `worker` |
| what goes wrong on purpose | `faults` |
| moving a customer's time by hand | `console` |
| what one does in Stripe's Dashboard, by hand or as a fault | `dashboard` |
| Stripe's own description as the judge | `specification`, `call_judge`; asked through `validation` |
| what that description leaves out | `undescribed` |
| addresses of its own pages | `addresses` |
"""
