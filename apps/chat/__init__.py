"""Conversations as trees of messages, and the pages where they are read.

A person sends a message; an empty answer and its run are stored with it; the engine fills it and `replies.keep` stores
it. Editing and trying again add siblings: nothing that was written is changed.

| rule | module |
|---|---|
| send, try again, keep an answer | `replies` |
| find, list, rename, delete | `conversations` |
| the path to a message | `tree` |
| what a model is asked | `prompting` |
| a title from the first message | `titles` |
| how a person wants to be answered | `personalization` |
| the ways to sound | `personalities` |
| trying without an account | `trying` |
| which models a person may choose | `choices` |
| answers that are reported, and what staff decide | `content_reports` |
| export and erase | `personal_data` |
"""
