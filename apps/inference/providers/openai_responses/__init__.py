"""OpenAI's Responses API, which its newest models speak best. Nothing is kept there: each call carries everything."""
