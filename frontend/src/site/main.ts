import { offerCopying } from "./copying";
import { nameCountries } from "./countries";
import { judgePasswords } from "./strength";
import { showLocalTimes } from "./times";

// Pages work without any of this; it only makes them nicer. htmx comes when a page asks for it.
const USES_HTMX = "[hx-get],[hx-post],[hx-put],[hx-patch],[hx-delete]";

offerCopying(document);
showLocalTimes(document);
nameCountries(document);
judgePasswords(document);
// On a phone the settings' sections are a row to swipe: the present one should be in sight.
document.querySelector(".settings-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
if (document.querySelector("[data-passkey], [data-needs-passkey]")) {
  void import("./passkeys").then(({ offerPasskeys }) => {
    offerPasskeys(document);
  });
}
if (document.querySelector(USES_HTMX)) {
  void import("htmx.org");
}
