import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";

import { askForPasskey, type PasskeyRequest } from "../shared/api";
import { say } from "../shared/i18n";

interface Making {
  creation_options: { publicKey: PublicKeyCredentialCreationOptionsJSON };
}

/** Browsers keep passkeys for names, not for bare addresses. */
export function canKeepPasskeys(host = location.hostname): boolean {
  return browserSupportsWebAuthn() && !/^[\d.]+$|:/.test(host);
}

/** Let forms marked `data-passkey` ask the browser before they are sent; show what needs passkeys where there are any. */
export function offerPasskeys(root: ParentNode): void {
  const can = canKeepPasskeys();
  for (const part of root.querySelectorAll<HTMLElement>("[data-needs-passkey]")) part.hidden = !can;
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    if (can) {
      form.hidden = false;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        void prove(form);
      });
    } else if (!form.hidden) {
      complain(form, say("passkeyImpossible"));
      form.querySelector("button")?.setAttribute("disabled", "");
    }
  }
}

async function prove(form: HTMLFormElement): Promise<void> {
  complain(form, "");
  try {
    const credential = form.dataset.passkey === "make" ? await make(form) : await ask(form);
    const field = form.querySelector<HTMLInputElement>('input[name="credential"]');
    if (field) field.value = JSON.stringify(credential);
    form.submit();
  } catch {
    complain(form, say("passkeyFailed"));
  }
}

async function make(form: HTMLFormElement): ReturnType<typeof startRegistration> {
  const { publicKey } = given<Making>(form).creation_options;
  const authenticatorSelection = {
    ...publicKey.authenticatorSelection,
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  } as const;
  return startRegistration({ optionsJSON: { ...publicKey, authenticatorSelection } });
}

async function ask(form: HTMLFormElement): ReturnType<typeof startAuthentication> {
  const { options } = form.dataset;
  const { request_options } = options ? await askForPasskey(options) : given<PasskeyRequest>(form);
  return startAuthentication({ optionsJSON: request_options.publicKey as PublicKeyCredentialRequestOptionsJSON });
}

function given<Data>(form: HTMLFormElement): Data {
  return JSON.parse(document.getElementById(form.dataset.given ?? "")?.textContent ?? "") as Data;
}

function complain(form: HTMLFormElement, text: string): void {
  const problem = form.querySelector<HTMLElement>("[data-passkey-problem]");
  if (!problem) return;
  problem.textContent = text;
  problem.hidden = text === "";
}
