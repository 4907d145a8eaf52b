import { judgePassword, type Strength } from "../shared/api";
import { say } from "../shared/i18n";

const PAUSE_MS = 300;
const STEPS = 4;

/** Say below a new password how it stands, while it is typed; the same judge decides when it is sent. */
export function judgePasswords(root: ParentNode): void {
  for (const field of root.querySelectorAll<HTMLInputElement>('input[name="password1"][autocomplete="new-password"]')) {
    const [line, bar, words] = drawLine();
    field.after(line);
    let timer = 0;
    field.addEventListener("input", () => {
      window.clearTimeout(timer);
      line.hidden = field.value === "";
      if (field.value) timer = window.setTimeout(() => void judge(field, bar, words), PAUSE_MS);
    });
  }
}

function drawLine(): [HTMLElement, HTMLMeterElement, HTMLElement] {
  const line = document.createElement("p");
  const bar = document.createElement("meter");
  const words = document.createElement("span");
  line.className = "strength";
  line.hidden = true;
  bar.max = STEPS;
  bar.low = STEPS - 1.5;
  bar.high = STEPS - 1;
  bar.optimum = STEPS;
  bar.ariaLabel = say("passwordStrength");
  words.setAttribute("role", "status");
  line.append(bar, words);
  return [line, bar, words];
}

async function judge(field: HTMLInputElement, bar: HTMLMeterElement, words: HTMLElement): Promise<void> {
  const asked = field.value;
  const email = field.form?.querySelector<HTMLInputElement>('input[type="email"]')?.value ?? "";
  let strength: Strength;
  try {
    strength = await judgePassword(asked, email);
  } catch {
    words.textContent = ""; // what is sent is judged all the same
    return;
  }
  if (field.value !== asked) return;
  bar.value = strength.score;
  words.textContent = strength.word;
  words.classList.toggle("text-danger", !strength.is_enough);
}
