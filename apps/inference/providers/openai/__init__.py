"""The protocol of OpenAI, which vLLM, SGLang, llama.cpp, Ollama and many others speak."""
