"""What is on offer, which plan a person is on, and how Stripe makes that so.

Stripe owns money and payment state; we own access. Events are hints: only `sync` reads Stripe and writes the mirror,
and access follows from the mirror by a pure decision.

| rule | module |
|---|---|
| what is on offer: the catalogue, read once | `plans` |
| what a plan gives and costs, as values | `terms` |
| what is counted | `meters` |
| the catalogue's file becomes plans, or is refused | `catalogue_file` and `plan_tables`, read through `toml_source` |
| the same for models and the servers behind them | `catalogue_models` |
| limits that contradict each other | `plan_sense` |
| the terms of a plan at one time, as rows | `plan_versions` |
| what a model cost and was sold for at one time, as rows | `model_prices` |
| the offer in words, for the pricing page | `offers`, its limits by `phrases` |
| what an account may use: the pure decision | `access` |
| what an account may use: snapshots, and what is in force now | `entitlements` |
| what may be told of an account's plan, as values | `account_state` |
| plans that staff give | `grants` |
| the only door to Stripe | `stripe_gateway`, a folder of calls by noun |
| what Stripe says, as our own values | `stripe_facts` |
| buying a plan | `checkout`, with `customers`; codes by `promotions` |
| the address that Stripe writes to | `addresses` |
| buying credit for the API | `credit_purchases` |
| the card that is charged when nobody is there | `saved_cards` |
| credit that buys itself when little is left | `recharges` |
| usage that is charged at the end of the month, and its subscription | `overage` |
| how the outbox charges cards, and begins and ends that subscription | `credit_acts` |
| what Stripe keeps of each payment | `fees` |
| what was paid for credit, as Stripe has it | `credit_mirror` |
| what was used, told to Stripe once | `meter_outbox` |
| what the archive holds of credit, and what of it leaves | `credit_data` |
| what the API sells, at Stripe | `developer_shelf` |
| what a subscriber may change to, and when that happens | `plan_choices` |
| what a change would cost | `quotes`, in words by `quote_words` |
| changing a plan: shown, agreed to, done | `plan_changes`, in words by `change_words` |
| ending a plan with its period, and taking that back | `cancellation` |
| what was agreed to is asked of Stripe, once, and what became of it | `change_requests`, each kind by `change_acts` |
| managing what was bought, at Stripe | `portal` |
| events from Stripe: verified, stored, turned into the wish to look | `inbox` |
| who may look, and whether anybody should | `leases` |
| Stripe's truth becomes ours: fetch, apply, decide | `sync`, with `fetching`, `mirror` and `money_mirror` |
| what is on sale at Stripe, mirrored when it changes there | `shelf` |
| what operations see of the traffic with Stripe | `gauges` |
| what the next renewal will cost | `renewals` |
| why a subscription changed, and when | `movements` |
| monthly recurring revenue of one subscription | `mrr` |
| what we want of Stripe, and mails, as rows that are done until they are done | `outbox` |
| how each kind of these rows is done | `outbox_acts` |
| the letters: their words, in two forms | `emails` |
| which letter a change calls for, and which one time does | `letters`, `reminders` |
| whether a letter is still true when it leaves | `relevance` |
| an unpaid bill: what a person is told, and where it is paid | `dunning` |
| what stops all that an account has | `holds` |
| money that staff give back | `refunds`, at Stripe by `refund_acts` |
| what went back of each invoice, in words | `money_back` |
| what was missed is found again | `catching_up` |
| what Stripe’s objects add up to | `stripe_totals` |
| whether Stripe and we agree | `drift`: `walks` through lists, `inspection` of one account, both by `comparison` |
| what the meter counted against what we told it | `meter_drift` |
| a plan that was bought twice by mistake | `duplicates` |
| two accounts of one person become one for Stripe | `merging` |
| what staff do about a difference | `repairs` |
| what does not fit, kept and shown | `differences`; what should have moved on, `stalls` |
| the catalogue brought here and to Stripe | `publication` |
| what differs between two terms, in words | `terms_changes` |
| who pays an old price moves to the new one | `price_moves` |
| what the person's archive holds of this, and what leaves with them | `personal_data` |
"""
