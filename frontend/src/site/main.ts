import { offerCopying } from "./copying";
import { showLocalTimes } from "./times";

// Pages work without any of this; it only makes them nicer. htmx comes when a page asks for it.
const USES_HTMX = "[hx-get],[hx-post],[hx-put],[hx-patch],[hx-delete]";

offerCopying(document);
showLocalTimes(document);
// On a phone the settings' sections are a row to swipe: the present one should be in sight.
document.querySelector(".settings-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
if (document.querySelector(USES_HTMX)) {
  void import("htmx.org");
}
