import { language } from "../shared/i18n";

/** Give countries their names: the server knows their codes, the browser all their names. */
export function nameCountries(root: ParentNode): void {
  const names = new Intl.DisplayNames(language, { type: "region" });
  for (const element of root.querySelectorAll<HTMLElement>("[data-country]")) {
    element.textContent = names.of(element.dataset["country"] ?? "") ?? element.textContent;
  }
}
