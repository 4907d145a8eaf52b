import { copyText } from "../shared/clipboard";
import { say } from "../shared/i18n";

const COPYABLE = "input[readonly], .card pre";

/** Put a “Copy” button after what is made to be copied: keys and examples. */
export function offerCopying(root: ParentNode): void {
  for (const source of root.querySelectorAll<HTMLElement>(COPYABLE)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button copy-button";
    button.textContent = say("copy");
    button.addEventListener("click", () => void copyFrom(source, button));
    source.after(button);
  }
}

async function copyFrom(source: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const text = source instanceof HTMLInputElement ? source.value : source.innerText;
  button.textContent = say((await copyText(text)) ? "copied" : "copyFailed");
}
