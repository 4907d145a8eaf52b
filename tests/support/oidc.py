"""An OpenID Connect provider over real HTTP: it signs in whoever names a subject, with the claims a test gave."""

import subprocess
import sys
import time
from dataclasses import dataclass

import httpx

from apps.localdev import addresses

START_S = 20


@dataclass
class OidcProvider:
    """One running provider. `url` is also its issuer."""

    url: str
    process: subprocess.Popen

    def knows(self, subject, **claims):
        """Let it vouch for somebody with these claims."""
        answer = httpx.put(f"{self.url}/users/{subject}", json=claims)
        assert answer.is_success, answer.text

    def authorize(self, address, subject):
        """Do what a person does on its page: name who they are; where they are sent back to."""
        answer = httpx.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def refuse(self, address):
        """Press “Deny” there."""
        return httpx.post(address, data={"action": "deny"}).headers["Location"]

    def environment(self):
        """What a product needs to offer it as “Work”."""
        ours = {"NAME": "Work", "CLIENT_ID": "causerie", "CLIENT_SECRET": "not-a-secret", "SERVER_URL": self.url}
        return {f"CAUSERIE_OIDC_{name}": value for name, value in ours.items()}

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def start_oidc():
    """Start one on a free port, and wait until it answers."""
    port = addresses.port_like(None)
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    provider = OidcProvider(f"http://{addresses.LOOPBACK}:{port}", process)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{provider.url}/.well-known/openid-configuration").is_success:
                return provider
        except httpx.TransportError:
            time.sleep(0.1)
    provider.stop()
    raise AssertionError("The OpenID Connect provider did not start.")
