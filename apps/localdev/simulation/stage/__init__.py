"""Carries the simulation out, through the rules of the product.

| rule | module |
|---|---|
| what happens at once becomes visible at once, or not at all | `acts` |
| people join, and find themselves again | `guests` |
| a question becomes an answer, or a refusal | `talk` |
| the local Stripe's pages, cards and clocks | `till` |
| plans are bought, renewed, changed and left | `shop` |
"""
